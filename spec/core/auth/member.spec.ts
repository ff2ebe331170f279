import { checkAuth } from "../../../src/core/auth/check.ts";
import {
  alice,
  bob,
  carol,
  emptyRoom,
  memberDraft,
  powers,
  room,
  VERSIONS,
  versions,
} from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

for (const version of VERSIONS) {
  describe(`m.room.member in room version ${version}`, () => {
    const withModerator = () =>
      room(version)
        .join(bob)
        .join(carol)
        .powerLevels(powers(version, { [bob]: 50 }));

    describe("any membership", () => {
      it("is rejected without a state key", () => {
        const draft = {
          type: "m.room.member",
          content: { membership: "join" },
        };
        expectRejected(room(version).check(draft), /without a user/);
      });

      it("is rejected without a membership, or with an unknown one", () => {
        const here = room(version);
        expectRejected(
          here.check({ type: "m.room.member", stateKey: alice }),
          /without/,
        );
        for (const membership of ["away", "", null, 1, {}]) {
          expectRejected(
            here.check({
              type: "m.room.member",
              stateKey: alice,
              content: { membership },
            }),
            /unknown/,
          );
        }
      });
    });

    describe("join", () => {
      it("is allowed to the creator right after the create event only", () => {
        const created = emptyRoom(version);
        expectAllowed(created.check(memberDraft(alice, "join")));
        expectRejected(created.check(memberDraft(bob, "join")), /not invited/);
        const later = created.fork();
        later.force({ type: "m.room.message" });
        expectRejected(later.check(memberDraft(alice, "join")), /not invited/);
      });

      it("is rejected if the create event is one of several previous events", () => {
        const created = emptyRoom(version);
        const prev = [created.head!.eventId, "$other"];
        expectRejected(
          created.check({ ...memberDraft(alice, "join"), prev }),
          /not invited/,
        );
      });

      it("is rejected for another user", () => {
        expectRejected(
          room(version).check(memberDraft(bob, "join", alice)),
          /for another user/,
        );
      });

      it("is rejected for a banned user, whatever the join rule", () => {
        const here = room(version).ban(bob);
        expectRejected(here.check(memberDraft(bob, "join")), /banned/);
      });

      it("is allowed in a public room", () => {
        expectAllowed(room(version).check(memberDraft(bob, "join")));
      });

      it("needs an invite where the join rule is invite, or none is set", () => {
        const bare = emptyRoom(version).join(alice);
        for (const here of [bare, room(version).joinRule("invite")]) {
          expectRejected(here.check(memberDraft(bob, "join")), /not invited/);
          expectAllowed(here.invite(bob).check(memberDraft(bob, "join")));
          expectAllowed(here.join(bob).check(memberDraft(bob, "join")));
        }
      });

      it("is rejected under a join rule that is not known", () => {
        const here = room(version).invite(bob).joinRule("private");
        expectRejected(here.check(memberDraft(bob, "join")), /not invited/);
      });
    });

    describe("invite", () => {
      it("is rejected from someone outside the room", () => {
        expectRejected(
          room(version).check(memberDraft(carol, "invite", bob)),
          /not in the room/,
        );
      });

      it("is rejected for someone joined or banned", () => {
        const here = room(version).join(bob).ban(carol);
        for (const user of [bob, carol]) {
          expectRejected(
            here.check(memberDraft(user, "invite", alice)),
            /already, or banned/,
          );
        }
      });

      it("takes the invite level, which is 0 by default", () => {
        const here = room(version).join(bob);
        const invite = memberDraft(carol, "invite", bob);
        expectAllowed(here.check(invite));
        here.powerLevels(powers(version, {}, { invite: 1 }));
        expectRejected(here.check(invite), /may not invite/);
        here.powerLevels(powers(version, { [bob]: 1 }, { invite: 1 }));
        expectAllowed(here.check(invite));
      });
    });

    describe("leave", () => {
      it("is allowed to those joined or invited", () => {
        const here = room(version).join(bob).invite(carol);
        expectAllowed(here.check(memberDraft(bob, "leave")));
        expectAllowed(here.check(memberDraft(carol, "leave")));
      });

      it("is rejected for those outside and those banned", () => {
        const here = room(version).ban(carol);
        expectRejected(
          here.check(memberDraft(bob, "leave")),
          /not in the room/,
        );
        expectRejected(
          here.check(memberDraft(carol, "leave")),
          /not in the room/,
        );
      });

      it("takes the kick level and more power than the target", () => {
        const here = withModerator();
        expectAllowed(here.check(memberDraft(carol, "leave", bob)));
        expectRejected(
          here.check(memberDraft(bob, "leave", carol)),
          /may not remove/,
        );
        expectRejected(
          here.check(memberDraft(alice, "leave", bob)),
          /may not remove/,
        );
        here.powerLevels(powers(version, { [bob]: 50, [carol]: 50 }));
        expectRejected(
          here.check(memberDraft(carol, "leave", bob)),
          /may not remove/,
        );
        here.powerLevels(powers(version, { [bob]: 50 }, { kick: 51 }));
        expectRejected(
          here.check(memberDraft(carol, "leave", bob)),
          /may not remove/,
        );
      });

      it("is rejected from someone outside the room", () => {
        const here = withModerator().leave(bob);
        expectRejected(
          here.check(memberDraft(carol, "leave", bob)),
          /sender is not in/,
        );
      });

      it("lifts a ban only with the ban level too", () => {
        const here = withModerator().ban(carol);
        const unban = memberDraft(carol, "leave", bob);
        expectAllowed(here.check(unban));
        here.powerLevels(powers(version, { [bob]: 50 }, { ban: 51 }));
        expectRejected(here.check(unban), /lift bans/);
        here.powerLevels(powers(version, { [bob]: 50 }, { kick: 51 }));
        expectRejected(here.check(unban), /may not remove/);
      });
    });

    describe("ban", () => {
      it("takes the ban level and more power than the target", () => {
        const here = withModerator();
        expectAllowed(here.check(memberDraft(carol, "ban", bob)));
        expectAllowed(here.check(memberDraft("@x:y.example", "ban", bob)));
        for (const target of [alice, bob]) {
          expectRejected(
            here.check(memberDraft(target, "ban", bob)),
            /may not ban/,
          );
        }
        here.powerLevels(powers(version, { [bob]: 50 }, { ban: 51 }));
        expectRejected(
          here.check(memberDraft(carol, "ban", bob)),
          /may not ban/,
        );
      });

      it("is rejected from someone outside the room", () => {
        const here = withModerator().leave(bob);
        expectRejected(
          here.check(memberDraft(carol, "ban", bob)),
          /sender is not in/,
        );
      });
    });
  });
}

describe("m.room.member: knock", () => {
  for (const version of versions(1, 6)) {
    it(`is an unknown membership in version ${version}`, () => {
      const here = room(version).joinRule("knock");
      expectRejected(here.check(memberDraft(bob, "knock")), /unknown/);
    });

    it(`lets nobody join by that rule in version ${version}`, () => {
      const here = room(version).invite(bob).joinRule("knock");
      expectRejected(here.check(memberDraft(bob, "join")), /not invited/);
    });
  }

  for (const version of versions(7)) {
    describe(`room version ${version}`, () => {
      const here = () => room(version).joinRule("knock");

      it("is allowed under the join rule knock", () => {
        expectAllowed(here().check(memberDraft(bob, "knock")));
        expectAllowed(
          here().member(bob, "knock").check(memberDraft(bob, "knock")),
        );
      });

      it("is rejected under other join rules", () => {
        for (const rule of ["public", "invite", "restricted", "private"]) {
          expectRejected(
            room(version).joinRule(rule).check(memberDraft(bob, "knock")),
            /no knocks/,
          );
        }
      });

      it("is rejected for another user", () => {
        expectRejected(
          here().check(memberDraft(bob, "knock", alice)),
          /knock for another/,
        );
      });

      it("is rejected for those banned, invited or joined", () => {
        const there = here().invite(bob).ban(carol);
        for (const user of [bob, carol, alice]) {
          expectRejected(
            there.check(memberDraft(user, "knock")),
            /banned, invited/,
          );
        }
      });

      it("can be taken back, and does not let anyone in", () => {
        const there = here().member(bob, "knock");
        expectAllowed(there.check(memberDraft(bob, "leave")));
        expectRejected(there.check(memberDraft(bob, "join")), /not invited/);
        expectAllowed(there.invite(bob).check(memberDraft(bob, "join")));
      });
    });
  }

  it("is allowed under knock_restricted from version 10 on", () => {
    for (const version of versions(7, 9)) {
      const here = room(version).joinRule("knock_restricted");
      expectRejected(here.check(memberDraft(bob, "knock")), /no knocks/);
    }
    for (const version of versions(10)) {
      const here = room(version).joinRule("knock_restricted");
      expectAllowed(here.check(memberDraft(bob, "knock")));
    }
  });
});

describe("m.room.member: restricted join", () => {
  const via = (user: string, signedBy = ["b.example", "a.example"]) => ({
    ...memberDraft(bob, "join", bob, {
      join_authorised_via_users_server: user,
    }),
    signedBy,
  });

  for (const version of versions(1, 7)) {
    it(`is not known in version ${version}`, () => {
      const here = room(version).joinRule("restricted");
      expectRejected(here.check(via(alice)), /not invited/);
    });

    it(`does not look at the authorising user in version ${version}`, () => {
      expectAllowed(room(version).check(via(alice, ["b.example"])));
    });
  }

  const cases = [
    ...versions(8).map((version) => ["restricted", version] as const),
    ...versions(10).map((version) => ["knock_restricted", version] as const),
  ];
  for (const [rule, version] of cases) {
    describe(`${rule} in version ${version}`, () => {
      const here = () => room(version).join(carol).joinRule(rule);

      it("is allowed with a member who may invite, whose server signed", () => {
        expectAllowed(here().check(via(alice)));
      });

      it("is allowed without one to those invited or joined", () => {
        const there = here().invite(bob);
        expectAllowed(there.check(memberDraft(bob, "join")));
        expectAllowed(there.join(bob).check(memberDraft(bob, "join")));
      });

      it("is rejected without an authorising user", () => {
        expectRejected(here().check(memberDraft(bob, "join")), /authorised/);
      });

      it("is rejected if that user may not invite", () => {
        const there = here().powerLevels(powers(version, {}, { invite: 1 }));
        const signedBy = ["b.example", "c.example"];
        expectRejected(there.check(via(carol, signedBy)), /may invite/);
      });

      it("is allowed if that user's power is just the invite level", () => {
        const levels = powers(version, { [carol]: 1 }, { invite: 1 });
        const signedBy = ["b.example", "c.example"];
        expectAllowed(here().powerLevels(levels).check(via(carol, signedBy)));
      });

      it("is rejected if that user is not in the room", () => {
        const there = here().leave(carol);
        const signedBy = ["b.example", "c.example"];
        expectRejected(there.check(via(carol, signedBy)), /authorised/);
      });

      it("is rejected for a banned user", () => {
        expectRejected(here().ban(bob).check(via(alice)), /banned/);
      });
    });
  }

  it("knows knock_restricted from version 10 on", () => {
    for (const version of versions(8, 9)) {
      const here = room(version).joinRule("knock_restricted");
      expectRejected(here.check(via(alice)), /not invited/);
    }
  });

  for (const version of versions(8)) {
    it(`needs the signature under any join rule in version ${version}`, () => {
      const here = room(version);
      expectRejected(here.check(via(alice, ["b.example"])), /has not signed/);
      expectRejected(here.check(via("alice")), /has not signed/);
      const unsigned = here.draft(via(alice));
      unsigned.pdu.signatures["a.example"] = {};
      expectRejected(
        checkAuth(here.shared.rules, unsigned, here.lookup),
        /has not signed/,
      );
      expectAllowed(
        checkAuth(here.shared.rules, unsigned, here.lookup, () => true),
      );
      for (const user of [null, 1, {}]) {
        const draft = memberDraft(bob, "join", bob, {
          join_authorised_via_users_server: user,
        });
        expectRejected(here.check(draft), /has not signed/);
      }
    });
  }
});
