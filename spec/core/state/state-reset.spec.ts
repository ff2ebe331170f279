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
  dave,
  memberDraft,
  powerLevelsDraft,
  powers,
  room,
  topicDraft,
  VERSIONS,
  versions,
  type Room,
} from "../room-builder.ts";

const JOIN_RULES = stateKeyOf("m.room.join_rules", "");
const POWER_LEVELS = stateKeyOf("m.room.power_levels", "");
const TOPIC = stateKeyOf("m.room.topic", "");
const member = (user: string) => stateKeyOf("m.room.member", user);

/** The state, but with an older event than the current one, as `/state_ids` may claim. */
const outdated = (state: StateMap, key: string, eventId: string): StateMap =>
  new Map(state).set(key, eventId);

const resolve = (here: Room, ...states: StateMap[]): StateMap =>
  resolveState(here.shared.rules, states, here.event);

const resolveForks = (...forks: Room[]): StateMap =>
  resolve(forks[0]!, ...forks.map(({ state }) => state));

describe("state resets (CVE-2025-49090)", () => {
  /** MSC4297, problem A: the one who set the join rules has left since. */
  function leftSetter(version: string) {
    const here = room(version)
      .join(bob)
      .powerLevels(powers(version, { [bob]: 100 }));
    const old = here.get("m.room.join_rules").eventId;
    here.joinRule("invite").leave(alice).topic("after", bob);
    return { here, old, current: here.get("m.room.join_rules").eventId };
  }

  for (const version of versions(2, 11)) {
    it(`unsets the join rules that a leaver set, as version ${version} must`, () => {
      const { here, old } = leftSetter(version);
      const resolved = resolve(
        here,
        here.state,
        outdated(here.state, JOIN_RULES, old),
      );
      expect(resolved.has(JOIN_RULES)).to.equal(false);
    });
  }

  it("keeps the join rules that a leaver set in version 12", () => {
    const { here, old, current } = leftSetter("12");
    const resolved = resolve(
      here,
      here.state,
      outdated(here.state, JOIN_RULES, old),
    );
    expect(resolved.get(JOIN_RULES)).to.equal(current);
    expect(resolved).to.deep.equal(here.state);
  });

  /** MSC4297, problem B: Alice promotes Bob, who promotes Carol. */
  function chainOfPromotions(version: string) {
    const here = room(version)
      .join(bob)
      .join(carol)
      .powerLevels(powers(version));
    const old = here.get("m.room.power_levels").eventId;
    here
      .powerLevels(powers(version, { [bob]: 100 }))
      .powerLevels(powers(version, { [bob]: 100, [carol]: 50 }), bob)
      .topic("after", carol);
    return { here, old, current: here.get("m.room.power_levels").eventId };
  }

  for (const version of versions(2, 11)) {
    it(`resets power levels behind a chain of promotions, as version ${version} must`, () => {
      const { here, old } = chainOfPromotions(version);
      const resolved = resolve(
        here,
        here.state,
        outdated(here.state, POWER_LEVELS, old),
      );
      expect(resolved.get(POWER_LEVELS)).to.equal(old);
    });
  }

  it("keeps power levels behind a chain of promotions in version 12", () => {
    const { here, current, old } = chainOfPromotions("12");
    const resolved = resolve(
      here,
      here.state,
      outdated(here.state, POWER_LEVELS, old),
    );
    expect(resolved.get(POWER_LEVELS)).to.equal(current);
    expect(resolved).to.deep.equal(here.state);
  });
});

describe("a server that offers part of the state", () => {
  for (const version of VERSIONS) {
    it(`does not shrink the state in version ${version} (1.15.2 96e9afe)`, () => {
      const here = room(version)
        .join(bob)
        .join(carol)
        .powerLevels(powers(version, { [bob]: 50 }))
        .topic("topic", bob)
        .invite(dave);
      for (const kept of [[], [member(bob)], [POWER_LEVELS], [JOIN_RULES]]) {
        const keys = [stateKeyOf("m.room.create", ""), ...kept];
        const part = new Map(
          [...here.state].filter(([key]) => keys.includes(key)),
        );
        expect(resolve(here, here.state, part)).to.deep.equal(here.state);
      }
    });
  }
});

for (const version of versions(2)) {
  describe(`concurrent acts in room version ${version}`, () => {
    const start = () => room(version).join(bob).join(carol);
    const bobIsModerator = powers(version, { [bob]: 50 });

    it("lets a ban win over power levels that the banned set", () => {
      const here = start().powerLevels(bobIsModerator);
      const there = here
        .fork()
        .powerLevels({ ...bobIsModerator, users_default: 1 }, bob);
      here.ban(bob);
      expect(resolveForks(here, there)).to.deep.equal(here.state);
    });

    it("lets nobody in past join rules that changed meanwhile", () => {
      const here = start();
      const there = here.fork().join(dave);
      here.joinRule("invite");
      const resolved = resolveForks(here, there);
      expect(resolved.get(JOIN_RULES)).to.equal(here.state.get(JOIN_RULES));
      expect(resolved.has(member(dave))).to.equal(false);
    });

    it("takes no power levels of those who never had power", () => {
      const here = start().powerLevels(bobIsModerator);
      const there = here.fork();
      there.force(powerLevelsDraft(powers(version, { [carol]: 0 }), carol));
      expect(resolveForks(here, there)).to.deep.equal(here.state);
    });

    it("takes back the topic of someone demoted meanwhile, and keeps the one before", () => {
      const here = start()
        .topic("first")
        .powerLevels(bobIsModerator)
        .topic("second");
      const there = here
        .fork()
        .powerLevels({ ...bobIsModerator, kick: 50 }, bob)
        .topic("by Bob", bob);
      here.powerLevels(powers(version, { [bob]: 0 }));
      expect(resolveForks(here, there)).to.deep.equal(here.state);
    });

    it("takes the topic of the later power levels, not of the later clock", () => {
      const here = start().powerLevels(bobIsModerator);
      const there = here.fork();
      here.powerLevels({ ...bobIsModerator, kick: 50 });
      here.add({ ...topicDraft("new levels", bob), ts: 1 });
      there.add({ ...topicDraft("old levels", bob), ts: 9_000_000 });
      expect(resolveForks(here, there).get(TOPIC)).to.equal(
        here.state.get(TOPIC),
      );
    });

    it("lets the more powerful sender's act come first", () => {
      const both = powers(version, { [bob]: 100, [carol]: 50 });
      const here = start().powerLevels(both);
      const there = here.fork();
      // Carol kicks Dave by an early clock; Bob demotes her by a late one.
      here.join(dave);
      there.state = here.state;
      there.head = here.head;
      there.add({ ...memberDraft(dave, "ban", carol), ts: 1 });
      here.add({
        ...powerLevelsDraft(powers(version, { [bob]: 100 }), bob),
        ts: 9_000_000,
      });
      expect(resolveForks(here, there)).to.deep.equal(here.state);
    });

    it("orders power events of equal senders by time, then by id", () => {
      const here = start().powerLevels(bobIsModerator);
      const there = here.fork();
      const topics = (ts: number) => [
        here.fork().force({ ...topicDraft("a"), ts }),
        there.fork().force({ ...topicDraft("b"), ts: 5 }),
      ];
      for (const ts of [4, 5, 6]) {
        const [a, b] = topics(ts);
        const states = [a, b].map((event) =>
          outdated(here.state, TOPIC, event!.eventId),
        );
        const later = ts > 5 ? a : b;
        expect(resolve(here, ...states).get(TOPIC)).to.equal(later?.eventId);
      }
    });
  });
}

describe("a create event that is not unique (CVE-2025-54315)", () => {
  it("cannot take the place of the one that the room id names in version 12", () => {
    const here = room("12");
    const there = here.fork();
    const second = there.force({
      type: "m.room.create",
      stateKey: "",
      sender: bob,
      prev: [],
      auth: [],
      content: { room_version: "12" },
    });
    there.state = outdated(
      there.state,
      stateKeyOf("m.room.create", ""),
      second.eventId,
    );
    expect(resolveForks(here, there)).to.deep.equal(here.state);
  });
});
