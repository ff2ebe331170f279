import { expect } from "chai";
import fc from "fast-check";
import { toRoomEvent } from "../../../src/core/event-id.ts";
import type { FinishedEvent } from "../../../src/core/finish-event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import { receiveEvents } from "../../../src/domain/rooms/receive-events.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { bytesOf, foreignKeyOf } from "../../support/foreign-server.ts";
import {
  useServer,
  type TestProcess,
  type TestUser,
} from "../../support/server.ts";
import { ForeignRoom, type ForeignDraft } from "./foreign-room.ts";
import { readStoredRoom } from "./stored-room.ts";

const source = { keyOf: foreignKeyOf, origin: "b.example" };
const USERS = ["@bob:b.example", "@carol:c.example", "@dave:d.example"];

interface Step {
  act: string;
  by: number;
  on: number;
  /** How far from the newest events it builds. */
  behind: number[];
  level: number;
  ts: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    act: fc.constantFrom(
      ...["say", "say", "topic", "topic", "name", "power", "rule"],
      ...["ban", "kick", "leave", "join", "join", "unauthorised"],
    ),
    by: fc.nat(2),
    on: fc.nat(2),
    behind: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
    level: fc.constantFrom(0, 50, 100),
    ts: fc.nat(4),
  }),
  { minLength: 6, maxLength: 22 },
);

function draftOf(step: Step, prev: string[]): ForeignDraft {
  const sender = USERS[step.by]!;
  const target = USERS[step.on]!;
  const state = (
    type: string,
    content: JsonObject,
    stateKey = "",
  ): ForeignDraft => ({ type, stateKey, content, sender, prev, ts: step.ts });
  switch (step.act) {
    case "topic":
      return state("m.room.topic", { topic: `${step.ts}` });
    case "name":
      return state("m.room.name", { name: `${step.ts}` });
    case "power":
      return state("m.room.power_levels", {
        users: { [USERS[0]!]: 100, [USERS[1]!]: step.level },
        state_default: 0,
      });
    case "rule":
      return state("m.room.join_rules", {
        join_rule: step.level > 0 ? "public" : "invite",
      });
    case "ban":
      return state("m.room.member", { membership: "ban" }, target);
    case "kick":
      return state("m.room.member", { membership: "leave" }, target);
    case "leave":
    case "join":
      return state("m.room.member", { membership: step.act }, sender);
    case "unauthorised":
      return state("m.room.topic", { topic: "no" }, "@eve:e.example");
    default:
      return { sender, prev, content: { body: `${step.ts}` }, ts: step.ts };
  }
}

describe("receiveEvents where the graph forks", function () {
  this.timeout(120_000);
  const server = useServer();
  let alice: TestUser;
  let other: TestProcess;
  before(async () => {
    alice = await server.user("alice");
    other = await server.startProcess();
  });

  async function makeRoom(version: string) {
    const answer = await alice.post("/createRoom", {
      preset: "public_chat",
      room_version: version,
      power_level_content_override: {
        users:
          version === "12"
            ? { [USERS[0]!]: 100, [USERS[1]!]: 50 }
            : { [alice.userId]: 100, [USERS[0]!]: 100, [USERS[1]!]: 50 },
        state_default: 0,
        events: {},
      },
    });
    const roomId = String(answer.body["room_id"]);
    return ForeignRoom.read(server.edges, roomId);
  }

  /** A graph of events that another server might make, each judged there as it is made. */
  function grow(room: ForeignRoom, script: readonly Step[]): FinishedEvent[] {
    const made = USERS.map((user) => room.join(user));
    for (const step of script) {
      const prev = step.behind.map(
        (back) => made[Math.max(0, made.length - 1 - back)]!.eventId,
      );
      made.push(room.add(draftOf(step, [...new Set(prev)])));
    }
    return made;
  }

  /** The events in another order in which each comes after what it builds on. */
  function shuffle(
    events: readonly FinishedEvent[],
    room: ForeignRoom,
    picks: readonly number[],
  ): FinishedEvent[] {
    const waiting = [...events];
    const ids = new Set(events.map(({ eventId }) => eventId));
    const shuffled: FinishedEvent[] = [];
    while (waiting.length > 0) {
      const ready = waiting.filter(({ eventId }) => {
        const { prevEventIds, authEventIds } = room.event(eventId)!;
        return [...prevEventIds, ...authEventIds].every((id) => !ids.has(id));
      });
      const pick = picks[shuffled.length % picks.length]! % ready.length;
      const next = ready[pick]!;
      ids.delete(next.eventId);
      waiting.splice(waiting.indexOf(next), 1);
      shuffled.push(next);
    }
    return shuffled;
  }

  async function assertLikeOracle(oracle: ForeignRoom) {
    const { roomNid } = oracle.room;
    const stored = await readStoredRoom(server.database.sql, roomNid);
    const fates = ["accepted", "soft-failed", "rejected"];
    expect(stored.rows.map((row) => row.eventId).sort()).to.deep.equal(
      [...oracle.nodes.keys()].sort(),
    );
    for (const row of stored.rows) {
      const node = oracle.nodes.get(row.eventId)!;
      expect(fates[row.status], row.refusal ?? row.type).to.equal(node.fate);
      const before = stored.stateOfSnapshot(row.snapshotId);
      expect(before, "state before").to.deep.equal(node.before);
      const after = row.snapshotAfter ?? row.snapshotId;
      expect(stored.stateOfSnapshot(after), "state after").to.deep.equal(
        node.after,
      );
    }
    expect(stored.tips).to.deep.equal(oracle.tips);
    expect(stored.current).to.deep.equal(oracle.current);
    expect(stored.roomSnapshot).to.deep.equal(oracle.current);
    for (const [userId, membership] of stored.members) {
      const member = oracle.lookup(oracle.current)("m.room.member", userId);
      const content = member?.pdu.content ?? {};
      expect(membership).to.equal(content["membership"] ?? "leave");
    }
    await assertChanges(roomNid, stored.current);
  }

  /** The changes of state, one after the other, lead to the state of today. */
  async function assertChanges(
    roomNid: number,
    current: ReadonlyMap<string, string>,
  ) {
    const left = await server.database.sql`
      select distinct on (type, state_key) new_nid from state_changes
      where room_nid = ${roomNid} order by type, state_key, position desc`;
    const nids = left.flatMap(({ newNid }) =>
      newNid === null ? [] : [newNid],
    );
    const ids = await server.database.sql<{ eventId: string }[]>`
      select event_id from events where nid = any(${nids as number[]}::bigint[])`;
    expect(ids.map(({ eventId }) => eventId).sort()).to.deep.equal(
      [...current.values()].sort(),
    );
    const broken = await server.database.sql`
      select * from (
        select old_nid, lag(new_nid) over (partition by type, state_key order by position) as last_nid
        from state_changes where room_nid = ${roomNid}) c
      where old_nid is distinct from last_nid`;
    expect(broken).to.have.length(0);
  }

  for (const [version, runs] of [
    ["12", 25],
    ["11", 12],
    ["6", 12],
    ["2", 6],
    ["1", 12],
  ] as const) {
    it(`agrees with the plainest judge on random graphs in any order (version ${version})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          steps,
          fc.array(fc.nat(50), { minLength: 3, maxLength: 9 }),
          fc.array(fc.integer({ min: 1, max: 6 }), {
            minLength: 1,
            maxLength: 4,
          }),
          async (script, picks, sizes) => {
            const made = await makeRoom(version);
            const oracle = await ForeignRoom.read(
              server.edges,
              made.room.roomId,
            );
            const arriving = shuffle(grow(made, script), made, picks);
            for (let at = 0, turn = 0; at < arriving.length; turn += 1) {
              const size = sizes[turn % sizes.length]!;
              const batch = arriving.slice(at, at + size);
              at += size;
              const fates = batch.map(({ eventId, pdu }) =>
                oracle.arrive(toRoomEvent(oracle.room.rules, pdu, eventId)),
              );
              const { edges } = turn % 2 === 0 ? server : other;
              const receipts = await receiveEvents(
                edges,
                oracle.room.roomNid,
                batch.map(bytesOf),
                source,
              );
              expect(receipts.map(({ status }) => status)).to.deep.equal(fates);
            }
            await assertLikeOracle(oracle);
          },
        ),
        { numRuns: runs, endOnFailure: true },
      );
    });
  }

  it("stores what two processes receive at once a single time, beside what is sent here", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const made = await makeRoom("11");
        const { roomId, roomNid, rules } = made.room;
        const events = grow(made, script);
        const deliver = async ({ edges }: TestProcess, size: number) => {
          for (let at = 0; at < events.length; at += size) {
            const batch = events.slice(at, at + size).map(bytesOf);
            const receipts = await receiveEvents(edges, roomNid, batch, source);
            for (const { status } of receipts) {
              expect(status).not.to.be.oneOf(["dropped", "missing"]);
            }
          }
        };
        const speak = async () => {
          for (let i = 0; i < 4; i += 1) {
            const path = `/rooms/${roomId}/send/m.room.message/${i}`;
            await alice.put(path, { msgtype: "m.text", body: `${i}` });
          }
        };
        await Promise.all([deliver(server, 3), deliver(other, 4), speak()]);
        const stored = await readStoredRoom(server.database.sql, roomNid);
        const ids = stored.rows.map(({ eventId }) => eventId);
        expect(new Set(ids).size).to.equal(ids.length);
        expect(ids).to.include.members(events.map(({ eventId }) => eventId));
        // Whatever the order was, current state is that of the ends of the graph.
        const ends = stored.tips.map((id) => {
          const { snapshotAfter, snapshotId } = stored.byId.get(id)!;
          return stored.stateOfSnapshot(snapshotAfter ?? snapshotId);
        });
        const seen = await ForeignRoom.read(server.edges, roomId);
        const current = resolveState(rules, ends, seen.event);
        expect(stored.current).to.deep.equal(current);
        expect(stored.roomSnapshot).to.deep.equal(current);
        expect(stored.tips).to.deep.equal(seen.tips);
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it("is new to one of two processes that are told of it at the same moment", async () => {
    const room = await makeRoom("12");
    const { roomNid } = room.room;
    const [user] = USERS as [string];
    const tell = ({ edges }: TestProcess, event: FinishedEvent) =>
      receiveEvents(edges, roomNid, [bytesOf(event)], source);
    await tell(server, room.join(user));
    for (let i = 0; i < 20; i += 1) {
      const event = room.add({ sender: user, content: { i } });
      const receipts = await Promise.all([
        tell(server, event),
        tell(other, event),
      ]);
      const [one, two] = receipts
        .flat()
        .sort((a) => ("isNew" in a && a.isNew ? -1 : 1));
      expect(one).to.include({ status: "accepted", isNew: true });
      expect(two).to.include({ status: "accepted", isNew: false });
    }
    await assertLikeOracle(room);
  });

  it("asks the database as often for many events, and for long auth chains, as for few", async () => {
    const counts: number[] = [];
    for (const length of [5, 45]) {
      const room = await makeRoom("12");
      const { roomNid } = room.room;
      const user = USERS[0]!;
      const chain = [room.join(user)];
      for (let i = 0; i < length; i += 1) {
        const content = { membership: "join", displayname: `${i}` };
        const type = "m.room.member";
        chain.push(room.add({ type, stateKey: user, sender: user, content }));
      }
      await receiveEvents(server.edges, roomNid, chain.map(bytesOf), source);
      const prev = room.tips;
      const forks = Array.from({ length }, (_, i) =>
        room.add({
          type: "m.room.topic",
          stateKey: "",
          sender: user,
          prev: i % 2 === 0 ? prev : room.tips,
          content: { topic: `${i}` },
        }),
      );
      const counted = countStatements(server.edges.db);
      const memory = new ProcessMemory();
      const edges = { ...server.edges, db: counted.sql, memory };
      const receipts = await receiveEvents(
        edges,
        roomNid,
        forks.map(bytesOf),
        source,
      );
      expect(receipts.every(({ status }) => status === "accepted")).to.equal(
        true,
      );
      counts.push(counted.taken());
      await assertLikeOracle(room);
    }
    expect(counts[0]).to.be.above(3);
    expect(counts[1]).to.equal(counts[0]);
  });

  it("makes full snapshots in time and stores equal states once", async () => {
    const room = await makeRoom("12");
    const { roomNid } = room.room;
    const join = room.join(USERS[0]!);
    const topics = Array.from({ length: 150 }, (_, i) =>
      room.add({
        type: "m.room.topic",
        stateKey: "",
        sender: USERS[0]!,
        content: { topic: `${i}` },
      }),
    );
    await receiveEvents(
      server.edges,
      roomNid,
      [join, ...topics].map(bytesOf),
      source,
    );
    await assertLikeOracle(room);
    const [hops] = await server.database.sql`
      select max(hops) as hops, count(*)::int = count(distinct hash)::int as are_distinct
      from state_snapshots where room_nid = ${roomNid}`;
    expect(hops).to.deep.equal({ hops: 64, areDistinct: true });
  });
});
