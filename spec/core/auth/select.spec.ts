import { expect } from "chai";
import { selectAuthEvents } from "../../../src/core/auth/select.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { getRoomRules } from "../../../src/core/room-version.ts";
import { alice, bob, carol, versions } from "../room-builder.ts";

const create = ["m.room.create", ""];
const powerLevels = ["m.room.power_levels", ""];
const joinRules = ["m.room.join_rules", ""];
const member = (user: string) => ["m.room.member", user];

const select = (version: string, content: JsonObject, stateKey = bob) =>
  selectAuthEvents(getRoomRules(version), {
    type: "m.room.member",
    sender: alice,
    state_key: stateKey,
    content,
  });

describe("selectAuthEvents", () => {
  it("selects nothing for the create event", () => {
    const event = {
      type: "m.room.create",
      sender: alice,
      state_key: "",
      content: {},
    };
    expect(selectAuthEvents(getRoomRules("11"), event)).to.deep.equal([]);
  });

  it("selects the create event up to version 11 only", () => {
    const event = { type: "m.room.message", sender: alice, content: {} };
    for (const version of versions(1, 11)) {
      const selected = selectAuthEvents(getRoomRules(version), event);
      expect(selected).to.have.deep.members([
        create,
        powerLevels,
        member(alice),
      ]);
    }
    expect(selectAuthEvents(getRoomRules("12"), event)).to.have.deep.members([
      powerLevels,
      member(alice),
    ]);
  });

  it("selects the join rules for join, invite and knock", () => {
    for (const membership of ["join", "invite", "knock"]) {
      expect(select("11", { membership })).to.deep.include(joinRules);
    }
    for (const membership of ["leave", "ban"]) {
      expect(select("11", { membership })).not.to.deep.include(joinRules);
    }
  });

  it("selects the target's member event, once", () => {
    expect(select("11", { membership: "ban" })).to.have.deep.members([
      create,
      powerLevels,
      member(alice),
      member(bob),
    ]);
    expect(select("11", { membership: "leave" }, alice)).to.have.deep.members([
      create,
      powerLevels,
      member(alice),
    ]);
  });

  it("selects the third-party invite of an invite's token", () => {
    const content = {
      membership: "invite",
      third_party_invite: { signed: { token: "t0ken" } },
    };
    const expected = ["m.room.third_party_invite", "t0ken"];
    expect(select("11", content)).to.deep.include(expected);
    expect(
      select("11", { ...content, membership: "join" }),
    ).not.to.deep.include(expected);
  });

  it("selects the member who authorised a join from version 8 on", () => {
    const content = {
      membership: "join",
      join_authorised_via_users_server: carol,
    };
    for (const version of versions(8)) {
      expect(select(version, content)).to.deep.include(member(carol));
    }
    for (const version of versions(1, 7)) {
      expect(select(version, content)).not.to.deep.include(member(carol));
    }
    expect(
      select("11", { ...content, membership: "leave" }),
    ).not.to.deep.include(member(carol));
  });
});
