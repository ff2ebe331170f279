import { checkCreate } from "../../../src/core/auth/create.ts";
import type { RoomEvent } from "../../../src/core/event.ts";
import { getRoomRules } from "../../../src/core/room-version.ts";
import { alice, bob, emptyRoom, VERSIONS, versions } from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

type Change = Partial<Omit<RoomEvent, "pdu">> & {
  pdu?: Partial<RoomEvent["pdu"]>;
};

function check(version: string, change: Change = {}) {
  const create = emptyRoom(version).get("m.room.create");
  return checkCreate(getRoomRules(version), {
    ...create,
    ...change,
    pdu: { ...create.pdu, ...change.pdu },
  });
}

describe("checkCreate", () => {
  for (const version of VERSIONS) {
    describe(`room version ${version}`, () => {
      it("allows a create event", () => {
        expectAllowed(check(version));
      });

      it("rejects previous events", () => {
        expectRejected(check(version, { prevEventIds: ["$x"] }), /previous/);
      });

      it("rejects a room version that is not known", () => {
        for (const unknown of ["13", "", 1, null]) {
          const content = { creator: alice, room_version: unknown };
          expectRejected(check(version, { pdu: { content } }), /version/);
        }
      });

      it("allows a create event without a room version", () => {
        expectAllowed(check(version, { pdu: { content: { creator: alice } } }));
      });
    });
  }

  for (const version of versions(1, 11)) {
    it(`rejects the room id of another server in version ${version}`, () => {
      expectRejected(
        check(version, { roomId: "!room:evil.example" }),
        /not of the sender's server/,
      );
    });

    it(`does not look at additional creators in version ${version}`, () => {
      const content = { creator: alice, additional_creators: [1] };
      expectAllowed(check(version, { pdu: { content } }));
    });
  }

  for (const version of versions(1, 10)) {
    it(`rejects a create event without a creator in version ${version}`, () => {
      expectRejected(check(version, { pdu: { content: {} } }), /no creator/);
    });
  }

  it("needs no creator from version 11 on", () => {
    for (const version of versions(11)) {
      expectAllowed(check(version, { pdu: { content: {} } }));
    }
  });

  describe("room version 12", () => {
    it("rejects a create event with a room id", () => {
      expectRejected(check("12", { pdu: { room_id: "!0001" } }), /no room id/);
    });

    it("allows additional creators that are user ids", () => {
      for (const creators of [[], [bob], [bob, alice]]) {
        const content = { additional_creators: creators };
        expectAllowed(check("12", { pdu: { content } }));
      }
    });

    it("rejects additional creators that are no list of user ids", () => {
      const long = `@${"x".repeat(255)}:a.example`;
      for (const creators of [
        null,
        bob,
        {},
        [1],
        [bob, "carol"],
        [""],
        [long],
      ]) {
        const content = { additional_creators: creators };
        expectRejected(check("12", { pdu: { content } }), /creators/);
      }
    });
  });
});
