import { expect } from "chai";
import {
  choosePolicy,
  lifetimeOf,
  type NamedPolicy,
  type RetainedRoom,
} from "../../../../src/domain/admin/retention/choose-policy.ts";
import type { RetentionScope } from "../../../../src/domain/admin/retention/policy.ts";

const DAY = 86_400_000;

const policy = (
  policyId: string,
  kind: RetentionScope["kind"],
  id = "",
  days: number | null = 10,
): NamedPolicy => ({
  policyId,
  scope: { kind, id },
  minMs: null,
  maxMs: days === null ? null : days * DAY,
  redacts: false,
  dropsReceipts: false,
  basis: "age",
});

const room = (changes: Partial<RetainedRoom> = {}): RetainedRoom => ({
  roomId: "!r:test",
  classes: new Set(["private"]),
  spaces: new Set(),
  own: undefined,
  ...changes,
});

const chosen = (policies: NamedPolicy[], of: RetainedRoom) =>
  choosePolicy(policies, of)?.policy.policyId;

describe("choosing a room's retention policy", () => {
  it("takes the narrowest: room, space, class, server", () => {
    const all = [
      policy("of-server", "server", "", 1),
      policy("of-class", "class", "private", 2),
      policy("of-space", "space", "!s:test", 3),
      policy("of-room", "room", "!r:test", 4),
    ];
    const within = room({ spaces: new Set(["!s:test"]) });
    for (const name of ["of-room", "of-space", "of-class", "of-server"]) {
      expect(chosen(all, within)).to.equal(name);
      all.pop();
    }
    expect(chosen(all, within)).to.equal(undefined);
  });

  it("takes a class before another, the shorter of two alike, then the first by name, in whatever order", () => {
    const classes = room({ classes: new Set(["direct", "encrypted"]) });
    const two = [
      policy("encrypted", "class", "encrypted", 1),
      policy("direct", "class", "direct", 9),
    ];
    const alike = [
      policy("b", "server", "", 5),
      policy("a", "server", "", 5),
      policy("c", "server", "", 4),
      policy("ever", "server", "", null),
    ];
    for (const list of [two, [...two].reverse()])
      expect(chosen(list, classes)).to.equal("direct");
    for (const list of [alike, [...alike].reverse()])
      expect(chosen(list, room())).to.equal("c");
    expect(chosen(alike.slice(0, 2), room())).to.equal("a");
  });

  it("never takes one of files for a room, nor of another room", () => {
    const others = [
      policy("files", "media", "attachment"),
      policy("addresses", "data", "addresses"),
      policy("other", "room", "!other:test"),
      policy("space", "space", "!s:test"),
      policy("public", "class", "public"),
    ];
    expect(chosen(others, room())).to.equal(undefined);
  });

  it("lets m.room.retention say more within the policy's bounds alone", () => {
    const bounds = { minMs: 2 * DAY, maxMs: 10 * DAY };
    const days = (own: Record<string, unknown> | undefined) =>
      lifetimeOf(bounds, own as never)! / DAY;
    expect(days(undefined)).to.equal(10);
    expect(days({ max_lifetime: 5 * DAY })).to.equal(5);
    expect(days({ max_lifetime: DAY })).to.equal(2);
    expect(days({ max_lifetime: 0 })).to.equal(2);
    expect(days({ max_lifetime: 99 * DAY })).to.equal(10);
    expect(days({ min_lifetime: 4 * DAY, max_lifetime: 4 * DAY })).to.equal(4);
    expect(days({ min_lifetime: 99 * DAY })).to.equal(10);
    for (const odd of ["5", -1, 1.5, null, {}, [], true])
      expect(days({ max_lifetime: odd }), String(odd)).to.equal(10);
    expect(days({ min_lifetime: 5 * DAY, max_lifetime: 3 * DAY })).to.equal(10);
  });

  it("keeps for ever what no bound ends, and nothing shorter than a minute", () => {
    const open = { minMs: null, maxMs: null };
    expect(lifetimeOf(open, undefined)).to.equal(null);
    expect(lifetimeOf(open, { max_lifetime: DAY })).to.equal(DAY);
    expect(lifetimeOf(open, { max_lifetime: 0 })).to.equal(60_000);
    expect(lifetimeOf({ minMs: DAY, maxMs: null }, undefined)).to.equal(null);
  });
});
