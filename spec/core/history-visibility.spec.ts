import { expect } from "chai";
import {
  isVisible,
  isVisibleToServer,
  parseHistoryVisibility,
  type HistoryVisibility,
} from "../../src/core/history-visibility.ts";

const memberships = [undefined, "leave", "ban", "knock", "invite", "join"];

describe("isVisible", () => {
  /** For each membership, whether the user sees the event: if never joined later, and if so. */
  const table: Record<HistoryVisibility, [boolean, boolean][]> = {
    world_readable: memberships.map(() => [true, true]),
    shared: memberships.map((membership) => [membership === "join", true]),
    invited: memberships.map((membership) => {
      const sees = membership === "join" || membership === "invite";
      return [sees, sees];
    }),
    joined: memberships.map((membership) => {
      const sees = membership === "join";
      return [sees, sees];
    }),
  };
  for (const [visibility, rows] of Object.entries(table)) {
    it(`judges ${visibility} by the membership at the event`, () => {
      for (const [index, [before, later]] of rows.entries()) {
        const view = {
          visibility: visibility as HistoryVisibility,
          membership: memberships[index],
        };
        expect(isVisible({ ...view, hasJoinedLater: false })).to.equal(before);
        expect(isVisible({ ...view, hasJoinedLater: true })).to.equal(later);
      }
    });
  }

  it("shows a change of visibility if the value before or after would", () => {
    const outsider = { membership: undefined, hasJoinedLater: false };
    for (const [before, after] of [
      ["world_readable", "joined"],
      ["joined", "world_readable"],
    ] as const) {
      expect(
        isVisible({ ...outsider, visibility: before, visibilityAfter: after }),
      ).to.equal(true);
    }
    expect(
      isVisible({
        ...outsider,
        visibility: "joined",
        visibilityAfter: "shared",
      }),
    ).to.equal(false);
    expect(
      isVisible({
        membership: undefined,
        hasJoinedLater: true,
        visibility: "joined",
        visibilityAfter: "shared",
      }),
    ).to.equal(true);
  });

  it("shows users their own joins and leaves", () => {
    const view = { visibility: "joined", hasJoinedLater: false } as const;
    expect(
      isVisible({ ...view, membership: undefined, membershipAfter: "join" }),
    ).to.equal(true);
    expect(
      isVisible({ ...view, membership: "join", membershipAfter: "ban" }),
    ).to.equal(true);
    expect(
      isVisible({ ...view, membership: "invite", membershipAfter: "leave" }),
    ).to.equal(false);
    expect(
      isVisible({
        ...view,
        visibility: "invited",
        membership: "invite",
        membershipAfter: "leave",
      }),
    ).to.equal(true);
  });
});

describe("parseHistoryVisibility", () => {
  it("takes anything that is not understood for shared", () => {
    for (const value of ["joined", "invited", "shared", "world_readable"]) {
      expect(parseHistoryVisibility({ history_visibility: value })).to.equal(
        value,
      );
    }
    for (const value of ["JOINED", "", null, 1, {}, ["joined"]]) {
      expect(parseHistoryVisibility({ history_visibility: value })).to.equal(
        "shared",
      );
    }
    expect(parseHistoryVisibility(undefined)).to.equal("shared");
  });
});

describe("isVisibleToServer", () => {
  it("shows what some user of the server may see", () => {
    for (const visibility of ["world_readable", "shared"] as const) {
      expect(isVisibleToServer(visibility, false, false)).to.equal(true);
    }
    expect(isVisibleToServer("invited", false, true)).to.equal(true);
    expect(isVisibleToServer("invited", true, false)).to.equal(true);
    expect(isVisibleToServer("invited", false, false)).to.equal(false);
    expect(isVisibleToServer("joined", true, false)).to.equal(true);
    expect(isVisibleToServer("joined", false, true)).to.equal(false);
  });
});
