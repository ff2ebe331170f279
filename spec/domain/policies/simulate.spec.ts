import { expect } from "chai";
import fc from "fast-check";
import type { PolicyAction } from "../../../src/core/policy/document.ts";
import { decideNow } from "../../../src/domain/policies/enforce.ts";
import { derive } from "../../../src/util/derive.ts";
import {
  ADMIN,
  policyMakers,
  type PolicyMakers,
} from "../../support/policies.ts";
import {
  attributes,
  mayAct,
  policies,
  type World,
} from "../../support/random-policies.ts";
import { makePublicRoom, must } from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

const ACTIONS = ["join", "invite", "send", "read", "call"] as const;
const ROUNDS = 20;
const USERS = 5;
const ROOMS = 20;

interface Verdict {
  allowed: boolean;
  rule?: string;
}

describe("the simulation of policies", () => {
  const server = useServer();
  let makers: PolicyMakers;
  let users: TestUser[];
  let rooms: { roomId: string; roomNid: number }[];

  before(async () => {
    makers = await policyMakers(server);
    users = await Promise.all(
      Array.from({ length: USERS }, (_, i) => server.user(`user${i}`)),
    );
    const ids = await Promise.all(
      Array.from({ length: ROOMS }, () => makePublicRoom(users[0]!)),
    );
    const rows = await server.edges.db<{ roomId: string; roomNid: number }[]>`
      select room_id, room_nid from rooms`;
    rooms = ids.map((id) => rows.find(({ roomId }) => roomId === id)!);
  });

  it("G9: equals what is enforced, and a naive oracle, on 10,000 random cases", async function () {
    this.timeout(60_000);
    const sample = <T>(of: fc.Arbitrary<T>, count: number) =>
      fc.sample(of, { numRuns: count, seed: 20 });
    const documents = sample(policies(ACTIONS), ROUNDS);
    const ofUsers = sample(attributes, USERS);
    const ofRooms = sample(attributes, ROOMS);
    for (const [i, user] of users.entries())
      await makers.describeUser(user.userId, ofUsers[i]!);
    for (const [i, { roomId }] of rooms.entries())
      await makers.describeRoom(roomId, ofRooms[i]!);
    const counts = { cases: 0, denied: 0 };
    for (const [round, document] of documents.entries()) {
      const network = round % 2 === 0 ? "127.0.0.1" : "10.1.2.3";
      const cases = users.flatMap((user, u) =>
        ACTIONS.flatMap((action) =>
          rooms.map((room, r) => ({ user, u, action, room, r })),
        ),
      );
      const { results } = must<{ results: { then: Verdict }[] }>(
        await makers.author.post(`${ADMIN}/policies/simulate`, {
          policy_id: "simulated",
          document,
          cases: cases.map(({ user, action, room }) => ({
            ...{ user_id: user.userId, action, room_id: room.roomId },
            env: { network, verified_device: false },
          })),
        }),
      );
      await makers.enact("simulated", document);
      const enforced = new Map<string, readonly { isAllowed: boolean }[]>();
      for (const { userId, deviceId } of users)
        for (const action of ACTIONS) {
          const asker = { userId, deviceId, ip: network };
          const edges = derive(server.edges, { asker });
          enforced.set(
            `${userId} ${action}`,
            await decideNow(edges, userId, action, rooms),
          );
        }
      for (const [i, { user, u, action, room, r }] of cases.entries()) {
        const world: World = {
          user: ofUsers[u]! as Json,
          resource: { class: "public", encrypted: false, ...ofRooms[r]! },
          ...{ network, isVerified: false, ts: 0 },
        };
        const expected = mayAct(document, action as PolicyAction, world);
        const real = enforced.get(`${user.userId} ${action}`)![r]!;
        const label = `${room.roomId} ${action} ${JSON.stringify(document)}`;
        expect(results[i]!.then.allowed, label).to.equal(expected);
        expect(real.isAllowed, label).to.equal(expected);
        counts.cases += 1;
        if (!expected) counts.denied += 1;
      }
    }
    expect(counts.cases).to.equal(10_000);
    expect(counts.denied).to.be.within(1_000, 9_000);
  });
});
