import { expect } from "chai";
import fc from "fast-check";
import { resolveState } from "../../../src/core/state/resolve.ts";
import { stateKeyOf } from "../../../src/core/state/state-map.ts";
import {
  alice,
  bob,
  carol,
  memberDraft,
  powerLevelsDraft,
  powers,
  room,
  topicDraft,
  VERSIONS,
  type Room,
} from "../room-builder.ts";
import { listDifferences } from "./compare.ts";
import { play, scriptOf } from "./random-rooms.ts";

const resolve = (...branches: Room[]) =>
  resolveState(
    branches[0]!.shared.rules,
    branches.map(({ state }) => state),
    branches[0]!.event,
  );

describe("resolveState", () => {
  it("of nothing is the empty state", () => {
    const { rules } = room("11").shared;
    expect(resolveState(rules, [], () => undefined).size).to.equal(0);
  });

  it("of equal states is that state, without looking at events", () => {
    const here = room("11").join(bob);
    const states = [here.state, new Map(here.state), here.state];
    const resolved = resolveState(here.shared.rules, states, () => {
      throw new Error("looked");
    });
    expect(resolved).to.equal(here.state);
  });

  for (const version of VERSIONS) {
    describe(`room version ${version}`, () => {
      it("keeps what both branches did to different keys", () => {
        const here = room(version).join(bob);
        const there = here.fork().join(carol);
        here.topic("here");
        const resolved = resolve(here, there);
        const topic = stateKeyOf("m.room.topic", "");
        const member = stateKeyOf("m.room.member", carol);
        expect(resolved.get(topic)).to.equal(here.state.get(topic));
        expect(resolved.get(member)).to.equal(there.state.get(member));
        expect(resolved.size).to.equal(here.state.size + 1);
      });

      it("lets a ban win over what the banned did meanwhile", () => {
        const here = room(version)
          .join(bob)
          .powerLevels(powers(version, { [bob]: 50 }))
          .topic("before");
        const there = here.fork().topic("by Bob", bob);
        const topic = stateKeyOf("m.room.topic", "");
        const before = here.state.get(topic);
        here.ban(bob);
        const resolved = resolve(here, there);
        expect(resolved.get(stateKeyOf("m.room.member", bob))).to.equal(
          here.state.get(stateKeyOf("m.room.member", bob)),
        );
        expect(resolved.get(topic)).to.equal(before);
      });

      it("does not depend on the order of the states and their entries", () => {
        fc.assert(
          fc.property(
            scriptOf([version]),
            fc.infiniteStream(fc.nat()),
            (script, random) => {
              const { room: here, resolved } = play(script);
              const { rules } = here.shared;
              const shuffle = <T>(list: T[]): T[] =>
                list
                  .map((item) => ({ item, at: Number(random.next().value) }))
                  .sort((one, other) => one.at - other.at)
                  .map(({ item }) => item);
              for (const { stateSets, events } of resolved) {
                const shuffled = shuffle(stateSets).map(
                  (state) => new Map(shuffle([...state])),
                );
                expect(resolveState(rules, shuffled, events)).to.deep.equal(
                  resolveState(rules, stateSets, events),
                );
              }
            },
          ),
          { numRuns: 20 },
        );
      });

      it("never takes a rejected event in (CVE-2022-39374)", () => {
        const here = room(version).join(bob);
        const there = here.fork();
        here.topic("here");
        const ban = there.force({
          ...memberDraft(bob, "ban", alice),
          isRejected: true,
        });
        const topic = there.force({ ...topicDraft("x"), isRejected: true });
        for (const { pdu, eventId } of [ban, topic]) {
          there.state = new Map(there.state).set(
            stateKeyOf(pdu.type, pdu.state_key ?? ""),
            eventId,
          );
        }
        const resolved = resolve(here, there);
        expect([...resolved.values()]).to.include(here.head?.eventId);
        expect([...resolved.values()]).not.to.include(ban.eventId);
        expect([...resolved.values()]).not.to.include(topic.eventId);
      });

      it("is not stopped by events that are missing", () => {
        const here = room(version).topic("one");
        const there = here.fork().topic("two");
        here.topic("three");
        here.state = new Map(here.state).set(stateKeyOf("x", ""), "$missing");
        const known = resolveState(
          here.shared.rules,
          [here.state, there.state],
          here.event,
        );
        expect(known.has(stateKeyOf("m.room.topic", ""))).to.equal(true);
      });
    });
  }

  // A few of those that `npm run proof` plays.
  for (const version of VERSIONS) {
    it(`equals the specification read sentence by sentence in version ${version}`, () => {
      fc.assert(
        fc.property(scriptOf([version]), (script) => {
          expect(listDifferences(play(script))).to.deep.equal([]);
        }),
        { numRuns: 20 },
      );
    });
  }

  it("walks auth chains of any depth", () => {
    const here = room("11");
    const there = here.fork();
    let tip = here.get("m.room.power_levels");
    const others = tip.authEventIds;
    for (let depth = 0; depth < 20_000; depth++) {
      const auth = [...others, tip.eventId];
      tip = here.append(
        here.draft({ ...powerLevelsDraft(powers("11")), auth }),
      );
    }
    there.topic("there");
    const levels = stateKeyOf("m.room.power_levels", "");
    expect(resolve(here, there).get(levels)).to.equal(tip.eventId);
  });

  it("ends where auth events form a cycle, as ids of version 2 can", () => {
    const here = room("2").join(bob);
    const there = here.fork();
    const one = here.draft(topicDraft("one"));
    const two = there.draft(topicDraft("two"));
    const ring = [
      { ...one, authEventIds: [...one.authEventIds, two.eventId, one.eventId] },
      { ...two, authEventIds: [...two.authEventIds, one.eventId] },
    ] as const;
    here.append(ring[0]);
    there.append(ring[1]);
    const topic = resolve(here, there).get(stateKeyOf("m.room.topic", ""));
    expect(topic).to.be.oneOf([one.eventId, two.eventId]);
  });
});
