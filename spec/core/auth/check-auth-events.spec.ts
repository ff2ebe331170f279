import { checkAuthEvents } from "../../../src/core/auth/check-auth-events.ts";
import type { RoomEvent } from "../../../src/core/event.ts";
import {
  bob,
  carol,
  room,
  VERSIONS,
  versions,
  type Room,
} from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

const eventsOf = (there: Room, event: RoomEvent): RoomEvent[] =>
  event.authEventIds.flatMap((id) => there.event(id) ?? []);

describe("checkAuthEvents", () => {
  for (const version of VERSIONS) {
    describe(`room version ${version}`, () => {
      const here = room(version).join(bob).join(carol);
      const message = here.draft({ type: "m.room.message", sender: bob });
      const check = (change: Partial<RoomEvent>, more: RoomEvent[] = []) => {
        const event = { ...message, ...change };
        return checkAuthEvents(here.shared.rules, event, [
          ...eventsOf(here, event),
          ...more,
        ]);
      };

      it("allows what the selection algorithm selects", () => {
        expectAllowed(check({}));
      });

      it("rejects two auth events of the same type and state key", () => {
        const second = here.fork().powerLevels({ users: {} }).head!;
        const authEventIds = [...message.authEventIds, second.eventId];
        expectRejected(check({ authEventIds }), /Two auth events/);
      });

      it("rejects one auth event named twice", () => {
        const [first = ""] = message.authEventIds;
        const authEventIds = [...message.authEventIds, first];
        expectRejected(check({ authEventIds }), /Two auth events/);
      });

      it("rejects auth events that the event does not need", () => {
        for (const [type, stateKey] of [
          ["m.room.member", carol],
          ["m.room.join_rules", ""],
        ] as const) {
          const extra = here.get(type, stateKey).eventId;
          const authEventIds = [...message.authEventIds, extra];
          expectRejected(
            check({ authEventIds }),
            /not one that the event needs/,
          );
        }
      });

      it("rejects a message among the auth events", () => {
        const other = here.fork().add({ type: "m.room.message" });
        const authEventIds = [...message.authEventIds, other.eventId];
        expectRejected(check({ authEventIds }), /not one that the event needs/);
      });

      it("rejects an auth event that was rejected", () => {
        const member = here.get("m.room.member", bob);
        const given = eventsOf(here, message).map((known) =>
          known === member ? { ...known, isRejected: true } : known,
        );
        expectRejected(
          checkAuthEvents(here.shared.rules, message, given),
          /was rejected/,
        );
      });

      it("rejects an auth event of another room (1.7.1 #6501, MSC4307)", () => {
        const member = here.get("m.room.member", bob);
        const given = eventsOf(here, message).map((known) =>
          known === member ? { ...known, roomId: "!other:a.example" } : known,
        );
        expectRejected(
          checkAuthEvents(here.shared.rules, message, given),
          /of another room/,
        );
      });

      it("rejects an auth event that is not known", () => {
        const authEventIds = [...message.authEventIds, "$missing"];
        expectRejected(check({ authEventIds }), /not known/);
      });

      it("leaves the create event to its own rule", () => {
        const create = here.get("m.room.create");
        expectAllowed(checkAuthEvents(here.shared.rules, create, []));
      });
    });
  }

  for (const version of versions(1, 11)) {
    it(`rejects a missing create event in version ${version}`, () => {
      const here = room(version).join(bob);
      const create = here.get("m.room.create").eventId;
      const event = here.draft({ type: "m.room.message", sender: bob });
      event.authEventIds = event.authEventIds.filter((id) => id !== create);
      expectRejected(
        checkAuthEvents(here.shared.rules, event, eventsOf(here, event)),
        /create event is not among/,
      );
    });
  }

  it("rejects the create event among the auth events in version 12", () => {
    const here = room("12").join(bob);
    const event = here.draft({ type: "m.room.message", sender: bob });
    const create = here.get("m.room.create").eventId;
    event.authEventIds = [...event.authEventIds, create];
    expectRejected(
      checkAuthEvents(here.shared.rules, event, eventsOf(here, event)),
      /not one that the event needs: m.room.create/,
    );
  });
});
