import { createHash } from "node:crypto";
import { expect } from "chai";
import { resolveState } from "../../../src/core/state/resolve.ts";
import {
  stateKeyOf,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import {
  alice,
  bob,
  carol,
  memberDraft,
  powerLevelsDraft,
  powers,
  room,
  topicDraft,
  type Draft,
  type Room,
} from "../room-builder.ts";

/** The state with each of some events on top of the same branch. */
const branchesOf = (here: Room, drafts: Draft[]) =>
  drafts.map((draft) => {
    const fork = here.fork();
    return { event: fork.force(draft), state: fork.state };
  });

const resolve = (here: Room, branches: { state: StateMap }[]) =>
  resolveState(
    here.shared.rules,
    branches.map(({ state }) => state),
    here.event,
  );

describe("state resolution of room version 1", () => {
  const POWER_LEVELS = stateKeyOf("m.room.power_levels", "");
  const TOPIC = stateKeyOf("m.room.topic", "");
  const start = () =>
    room("1")
      .join(bob)
      .powerLevels(powers("1", { [bob]: 50 }));

  it("walks power levels up by depth while each allows the next", () => {
    const here = start();
    const branches = branchesOf(here, [
      {
        ...powerLevelsDraft(powers("1", { [bob]: 50 }, { kick: 1 })),
        depth: 12,
      },
      {
        ...powerLevelsDraft(powers("1", { [bob]: 50 }, { kick: 2 })),
        depth: 11,
      },
    ]);
    expect(resolve(here, branches).get(POWER_LEVELS)).to.equal(
      branches[0]!.event.eventId,
    );
  });

  it("stops at the first power levels that are not allowed", () => {
    const here = start();
    const branches = branchesOf(here, [
      { ...powerLevelsDraft(powers("1", { [bob]: 0 })), depth: 11 },
      { ...powerLevelsDraft(powers("1", { [bob]: 50 }), bob), depth: 12 },
      { ...powerLevelsDraft(powers("1", { [bob]: 10 })), depth: 13 },
    ]);
    expect(resolve(here, branches).get(POWER_LEVELS)).to.equal(
      branches[0]!.event.eventId,
    );
  });

  it("resolves members after power levels", () => {
    const here = start().join(carol);
    const demoted = powers("1", { [bob]: 0 });
    const there = here.fork();
    here.with({ ...powerLevelsDraft(demoted), depth: 11 });
    here.with({ ...memberDraft(carol, "join"), depth: 12 });
    there.with({ ...powerLevelsDraft(powers("1", { [bob]: 50 })), depth: 10 });
    there.with({ ...memberDraft(carol, "leave", bob), depth: 13 });
    const member = stateKeyOf("m.room.member", carol);
    expect(resolve(here, [here, there]).get(member)).to.equal(
      here.state.get(member),
    );
  });

  it("takes the deepest other event that is allowed", () => {
    const here = start().join(carol);
    const branches = branchesOf(here, [
      { ...topicDraft("low"), depth: 11 },
      { ...topicDraft("high", bob), depth: 12 },
      { ...topicDraft("not allowed", carol), depth: 13 },
    ]);
    expect(resolve(here, branches).get(TOPIC)).to.equal(
      branches[1]!.event.eventId,
    );
  });

  it("takes the lowest SHA-1 of the event id among equal depths", () => {
    const here = start();
    const drafts = Array.from({ length: 8 }, () => ({
      ...topicDraft("x"),
      depth: 11,
    }));
    const branches = branchesOf(here, drafts);
    const sha1 = (id: string) => createHash("sha1").update(id).digest("hex");
    const [lowest] = branches
      .map(({ event }) => event.eventId)
      .sort((one, other) => (sha1(one) < sha1(other) ? -1 : 1));
    expect(resolve(here, branches).get(TOPIC)).to.equal(lowest);
  });

  it("starts equal depths of power levels with the highest SHA-1", () => {
    const here = start();
    const drafts = Array.from({ length: 8 }, (_, kick) => ({
      ...powerLevelsDraft(powers("1", { [bob]: 50 }, { kick })),
      depth: 11,
    }));
    const branches = branchesOf(here, drafts);
    const sha1 = (id: string) => createHash("sha1").update(id).digest("hex");
    const last = branches
      .map(({ event }) => event.eventId)
      .sort((one, other) => (sha1(one) < sha1(other) ? -1 : 1))[0];
    expect(resolve(here, branches).get(POWER_LEVELS)).to.equal(last);
  });

  it("does not call it a conflict if a key is in one state only", () => {
    const here = start();
    const there = here.fork().topic("there");
    here.with(memberDraft(alice, "join"));
    expect(resolve(here, [here, there]).get(TOPIC)).to.equal(
      there.head!.eventId,
    );
  });
});
