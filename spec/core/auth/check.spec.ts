import { checkAuth } from "../../../src/core/auth/check.ts";
import {
  alice,
  bob,
  carol,
  emptyRoom,
  powers,
  room,
  VERSIONS,
  versions,
} from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

const message = (sender: string) => ({ type: "m.room.message", sender });
const state = (sender: string, stateKey = "") => ({
  type: "org.example.state",
  stateKey,
  sender,
});

for (const version of VERSIONS) {
  describe(`C6 CVE-2022-31152: checkAuth in room version ${version}`, () => {
    it("rejects everything in a room without a create event", () => {
      const here = room(version);
      const event = here.draft(message(alice));
      expectRejected(
        checkAuth(here.shared.rules, event, () => undefined),
        /no create event/,
      );
    });

    it("rejects everything if the create event was rejected", () => {
      const here = room(version);
      const create = { ...here.get("m.room.create"), isRejected: true };
      const event = here.draft(message(alice));
      expectRejected(
        checkAuth(here.shared.rules, event, (type, key) =>
          type === "m.room.create" ? create : here.lookup(type, key),
        ),
        /no create event/,
      );
    });

    it("rejects other servers' events where m.federate is false", () => {
      const here = room(version, { "m.federate": false });
      expectRejected(
        here.check({
          type: "m.room.member",
          sender: bob,
          stateKey: bob,
          content: { membership: "join" },
        }),
        /not open to other servers/,
      );
      expectAllowed(here.check(message(alice)));
      expectAllowed(
        here.join("@anna:a.example").check(message("@anna:a.example")),
      );
    });

    it("rejects events of those who are not in the room", () => {
      const here = room(version).join(bob);
      expectAllowed(here.check(message(bob)));
      expectRejected(here.check(message(carol)), /not in the room/);
      here.invite(carol);
      expectRejected(here.check(message(carol)), /not in the room/);
      here.kick(bob);
      expectRejected(here.check(message(bob)), /not in the room/);
    });

    it("takes the invite level for a third-party invite, and nothing else", () => {
      const invite = (sender: string) => ({
        type: "m.room.third_party_invite",
        stateKey: "token",
        sender,
      });
      const here = room(version).join(bob);
      expectAllowed(here.check(invite(bob)));
      here.powerLevels(powers(version, {}, { invite: 1 }));
      expectRejected(here.check(invite(bob)), /may not invite/);
      expectRejected(here.check(invite(carol)), /not in the room/);
    });

    it("takes events_default for messages, which is 0 by default", () => {
      const here = room(version).join(bob);
      expectAllowed(here.check(message(bob)));
      here.powerLevels(powers(version, {}, { events_default: 1 }));
      expectRejected(here.check(message(bob)), /may not send/);
    });

    it("takes state_default for state, which is 50 by default", () => {
      const here = room(version).join(bob);
      expectRejected(here.check(state(bob)), /may not send/);
      here.powerLevels(powers(version, { [bob]: 50 }));
      expectAllowed(here.check(state(bob)));
      here.powerLevels(powers(version, { [bob]: 50 }, { state_default: 51 }));
      expectRejected(here.check(state(bob)), /may not send/);
    });

    it("takes the level of a type that events lists, for messages and state", () => {
      const listed = {
        events: { "org.example.state": 10, "m.room.message": 20 },
      };
      const here = room(version)
        .join(bob)
        .powerLevels(powers(version, { [bob]: 10 }, listed));
      expectAllowed(here.check(state(bob)));
      expectRejected(here.check(message(bob)), /may not send/);
    });

    it("reads power levels as own properties only", () => {
      const here = room(version).join(bob);
      for (const type of ["constructor", "__proto__", "toString"]) {
        expectAllowed(here.check({ type, sender: bob }));
        expectRejected(here.check({ type, sender: bob, stateKey: "" }), /send/);
      }
    });

    it("refuses state to all but the creator before there are power levels (CVE-2018-12423)", () => {
      const here = emptyRoom(version).join(alice);
      here.joinRule("public").join(bob);
      expectAllowed(here.check(state(alice)));
      expectRejected(here.check(state(bob)), /may not send/);
      expectAllowed(here.check(message(bob)));
    });

    it("refuses a state key that is another user's id", () => {
      const here = room(version)
        .join(bob)
        .powerLevels(powers(version, { [bob]: 100 }));
      expectAllowed(here.check(state(bob, bob)));
      expectRejected(here.check(state(bob, alice)), /another user's id/);
      expectRejected(here.check(state(bob, "@")), /another user's id/);
      expectAllowed(here.check(state(bob, "alice@a.example")));
    });
  });
}

describe("checkAuth: the creator's power", () => {
  it("ends with the first power levels event up to version 11", () => {
    for (const version of versions(1, 11)) {
      const here = emptyRoom(version).join(alice);
      here.powerLevels({ users: { [alice]: 49 } });
      expectRejected(here.check(state(alice)), /may not send/);
    }
  });

  it("is that of content.creator up to version 10, of the sender from 11 on", () => {
    for (const version of VERSIONS) {
      const here = emptyRoom(version, { creator: bob });
      const isSender = here.shared.rules.authorization.creatorFromSender;
      const join = (user: string) =>
        here.check({
          type: "m.room.member",
          sender: user,
          stateKey: user,
          content: { membership: "join" },
        });
      (isSender
        ? expectAllowed
        : (v: ReturnType<typeof join>) => expectRejected(v, /not invited/))(
        join(alice),
      );
      (isSender
        ? (v: ReturnType<typeof join>) => expectRejected(v, /not invited/)
        : expectAllowed)(join(bob));
    }
  });

  it("is infinite in version 12, for additional creators too", () => {
    const here = room("12", { additional_creators: [bob] })
      .join(bob)
      .join(carol);
    here.powerLevels({
      users: { [carol]: Number.MAX_SAFE_INTEGER },
      state_default: Number.MAX_SAFE_INTEGER,
      ban: Number.MAX_SAFE_INTEGER,
    });
    expectAllowed(here.check(state(alice)));
    expectAllowed(here.check(state(bob)));
    const ban = (target: string, sender: string) => ({
      type: "m.room.member",
      sender,
      stateKey: target,
      content: { membership: "ban" },
    });
    expectRejected(here.check(ban(alice, carol)), /may not ban/);
    expectRejected(here.check(ban(bob, carol)), /may not ban/);
    expectRejected(here.check(ban(bob, alice)), /may not ban/);
    expectAllowed(here.check(ban(carol, bob)));
  });

  it("is not given by additional_creators before version 12", () => {
    for (const version of versions(1, 11)) {
      const here = room(version, { additional_creators: [bob] }).join(bob);
      expectRejected(here.check(state(bob)), /may not send/);
    }
  });
});

describe("checkAuth: the room id of version 12", () => {
  it("must be that of the create event", () => {
    const here = room("12");
    expectRejected(
      here.check({ ...message(alice), roomId: "!other" }),
      /not that of the create event/,
    );
  });
});

describe("checkAuth: m.room.aliases", () => {
  const aliases = (sender: string, stateKey?: string) => ({
    type: "m.room.aliases",
    sender,
    ...(stateKey === undefined ? {} : { stateKey }),
  });

  for (const version of versions(1, 5)) {
    it(`is for any user of the server in its state key in version ${version}`, () => {
      const here = room(version);
      expectAllowed(here.check(aliases(bob, "b.example")));
      expectRejected(here.check(aliases(bob, "a.example")), /another server/);
      expectRejected(here.check(aliases(bob)), /without a state key/);
    });
  }

  for (const version of versions(6)) {
    it(`is state like any other in version ${version}`, () => {
      const here = room(version);
      expectRejected(here.check(aliases(bob, "b.example")), /not in the room/);
      here.join(bob);
      expectRejected(here.check(aliases(bob, "b.example")), /may not send/);
      expectAllowed(here.check(aliases(alice, "b.example")));
    });
  }
});

describe("checkAuth: m.room.redaction", () => {
  const redaction = (redacts: string) => ({
    type: "m.room.redaction",
    sender: bob,
    redacts,
  });

  for (const version of versions(1, 2)) {
    it(`takes the redact level or the target's own domain in version ${version} (1.2.0 #5701)`, () => {
      const here = room(version).join(bob);
      expectAllowed(here.check(redaction("$1:b.example")));
      expectRejected(here.check(redaction("$1:a.example")), /may not redact/);
      expectRejected(here.check(redaction("$1")), /may not redact/);
      here.powerLevels(powers(version, { [bob]: 50 }));
      expectAllowed(here.check(redaction("$1:a.example")));
      here.powerLevels(powers(version, { [bob]: 50 }, { redact: 51 }));
      expectRejected(here.check(redaction("$1:a.example")), /may not redact/);
    });
  }

  for (const version of versions(3)) {
    it(`is a message like any other in version ${version}`, () => {
      const here = room(version).join(bob);
      expectAllowed(here.check(redaction("$1")));
      here.powerLevels(
        powers(version, {}, { events: { "m.room.redaction": 1 } }),
      );
      expectRejected(here.check(redaction("$1")), /may not send/);
    });
  }
});
