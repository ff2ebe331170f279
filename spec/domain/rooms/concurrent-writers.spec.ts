import { expect } from "chai";
import { mapEvents } from "../../../src/domain/rooms/event-store.ts";
import { toRoomEvent } from "../../../src/domain/rooms/room-head.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import { applyToState } from "../../../src/core/state/linear.ts";
import type { RoomEvent } from "../../../src/core/event.ts";
import type { StateMap } from "../../../src/core/state/state-map.ts";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { sendMessage } from "../../../src/domain/rooms/send.ts";
import { setRoomState } from "../../../src/domain/rooms/set-state.ts";
import type { Edges } from "../../../src/edges.ts";
import { listSnapshots } from "../../../src/storage/snapshots.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import {
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";

describe("two processes that write in one room", () => {
  const server = useServer();
  let other: TestProcess;
  let alice: TestUser;

  before(async () => {
    other = await server.startProcess();
    alice = await server.user("alice");
  });

  const createRoom = async (options: object = {}) => {
    const { body } = await alice.post("/createRoom", {
      preset: "public_chat",
      ...options,
    });
    return body["room_id"] as string;
  };

  const eventIdOf = ({
    status,
    body,
    text,
  }: Awaited<ReturnType<TestUser["put"]>>) => {
    expect(status, text).to.equal(200);
    return body["event_id"] as string;
  };

  /** All events of a room in the order of the stream, and the numbers of its extremities. */
  const readRoom = async (roomId: string) => {
    const { sql } = server.database;
    const rows = await sql<{ nid: number }[]>`
      select e.nid from events e join rooms using (room_nid) where room_id = ${roomId} order by position`;
    const stored = await mapEvents(
      server.edges,
      rows.map(({ nid }) => nid),
    );
    return rows.map(({ nid }) => stored.get(nid)!);
  };

  it("make two events of what is said twice alike, on one event, in one millisecond", async () => {
    const roomId = await createRoom();
    const requester = (deviceId: string): Requester => ({
      userId: alice.userId as Requester["userId"],
      deviceId,
      tokenId: 0,
      isGuest: false,
      isSuspended: false,
    });
    const content = { msgtype: "m.text", body: "the same" };
    for (let i = 0; i < 20; i += 1) {
      const now = Date.now();
      const sent = await Promise.all(
        [server.edges, other.edges].map((edges, p) =>
          sendMessage(
            { ...edges, now: () => now },
            requester(`D${p}`),
            roomId,
            { type: "m.room.message", content, txnId: `same${i}` },
          ),
        ),
      );
      expect(sent[0]).not.to.equal(sent[1]);
    }
  });

  it("keeps every acknowledged event once, in one connected graph", async () => {
    const roomId = await createRoom();
    const users = [alice, other.as(alice)];
    const sent = await Promise.all(
      users.flatMap((user, p) =>
        Array.from({ length: 60 }, async (_, i) =>
          eventIdOf(
            i % 5 === 0
              ? await user.put(`/rooms/${roomId}/state/org.example.s/${p}`, {
                  i,
                })
              : await user.put(
                  `/rooms/${roomId}/send/m.room.message/${p}-${i}`,
                  { body: `${p} ${i}` },
                ),
          ),
        ),
      ),
    );
    const events = await readRoom(roomId);
    const ids = events.map(({ eventId }) => eventId);
    expect(new Set(sent).size).to.equal(120);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids).to.include.members(sent);

    const byId = new Map(events.map((event) => [event.eventId, event]));
    const cited = new Set<string>();
    events.forEach((event, i) => {
      const prev = toRoomEvent(event).prevEventIds;
      expect(prev.length === 0).to.equal(i === 0);
      for (const id of prev) {
        cited.add(id);
        expect(byId.get(id)!.depth).to.be.below(event.depth);
        expect(byId.get(id)!.position).to.be.below(event.position!);
      }
    });
    const ends = ids.filter((id) => !cited.has(id));
    const extremities = await server.database.sql<{ eventId: string }[]>`
      select event_id from forward_extremities f join events e using (nid)
      join rooms r on r.room_nid = f.room_nid where room_id = ${roomId}`;
    expect(extremities.map(({ eventId }) => eventId)).to.have.members(ends);
  });

  it("comes to the state that state resolution gives", async () => {
    // Of two rules that know nothing of each other, resolution takes the one of
    // less power: a message beside a new rule would bring the old one back.
    const bob = await server.user("bob");
    const roomId = await createRoom({
      room_version: "11",
      power_level_content_override: {
        users: { [alice.userId]: 100, [bob.userId]: 50 },
      },
    });
    await bob.post(`/join/${roomId}`);
    let isDone = false;
    const setRules = async () => {
      for (let i = 0; i < 30; i++) {
        const path = `/rooms/${roomId}/state/m.room.join_rules`;
        const rule = { join_rule: "public", i };
        eventIdOf(await (i % 2 === 0 ? bob : alice).put(path, rule));
      }
      isDone = true;
    };
    const talk = async (user: Pick<TestUser, "put">, line: number) => {
      for (let i = 0; !isDone; i++) {
        const path = `/rooms/${roomId}/send/m.room.message/${line}-${i}`;
        eventIdOf(await user.put(path, { body: "x" }));
      }
    };
    const elsewhere = other.as(alice);
    await Promise.all([
      setRules(),
      talk(elsewhere, 1),
      talk(elsewhere, 2),
      talk(elsewhere, 3),
    ]);
    const stored = await readRoom(roomId);
    const events = new Map(
      stored.map((event) => [event.eventId, toRoomEvent(event)]),
    );
    const { rules } = stored[0]!.room;
    const find = (id: string): RoomEvent | undefined => events.get(id);
    const snapshots = await listSnapshots(
      server.database.sql,
      stored.flatMap(({ snapshotId }) => snapshotId ?? []),
    );
    const idOf = new Map(stored.map(({ nid, eventId }) => [nid, eventId]));
    const after = new Map<string, StateMap>();
    for (const { eventId, snapshotId } of stored) {
      const event = events.get(eventId)!;
      const before = resolveState(
        rules,
        event.prevEventIds.map((id) => after.get(id)!),
        find,
      );
      const kept = [...(snapshots.get(snapshotId ?? 0) ?? [])];
      expect(kept.map((nid) => idOf.get(nid)).sort()).to.deep.equal(
        [...before.values()].sort(),
      );
      after.set(eventId, applyToState(before, event));
    }
    const versions = await server.database.sql<{ n: number; v: number }[]>`
      select count(*)::int as n, max(r.state_version)::int as v
      from state_changes c join rooms r using (room_nid) where room_id = ${roomId}`;
    expect(versions[0]!.n).to.equal(versions[0]!.v);
  });

  it("gives twins of one transaction one event", async () => {
    const roomId = await createRoom();
    const users = [alice, other.as(alice), alice, other.as(alice), alice];
    for (let i = 0; i < 10; i++) {
      const path = `/rooms/${roomId}/send/m.room.message/twin-${i}`;
      const ids = await Promise.all(
        users.map(async (user) =>
          eventIdOf(await user.put(path, { body: "x" })),
        ),
      );
      expect(new Set(ids).size).to.equal(1);
    }
    const events = await readRoom(roomId);
    const messages = events.filter(({ type }) => type === "m.room.message");
    expect(messages).to.have.length(10);
  });

  it("builds on what the other process wrote, not on what it knew before", async () => {
    const roomId = await createRoom();
    const elsewhere = other.as(alice);
    const send = async (user: typeof elsewhere, txn: string) =>
      eventIdOf(
        await user.put(`/rooms/${roomId}/send/m.room.message/${txn}`, {
          body: txn,
        }),
      );
    await send(elsewhere, "first");
    // Else the next one may stand beside it, not upon it.
    await server.edges.notifier.refresh();
    for (let i = 0; i < 20; i++) await send(alice, `many-${i}`);
    await other.edges.notifier.refresh();
    const last = await send(elsewhere, "last");
    const events = await readRoom(roomId);
    const event = events.find(({ eventId }) => eventId === last)!;
    expect(event.depth).to.equal(events.length);
    expect(toRoomEvent(event).prevEventIds).to.deep.equal([
      events.at(-2)!.eventId,
    ]);
  });

  it("decides nothing by a state that it has not heard of the end of", async () => {
    const bob = await server.user("bobby");
    const roomId = await createRoom({ room_version: "11" });
    await bob.post(`/join/${roomId}`);
    const { notifier } = server.edges;
    // Hears of nothing, so that what it knows of the room seems to hold.
    const deaf: Edges = {
      ...server.edges,
      memory: new ProcessMemory(),
      notifier: {
        ...notifier,
        position: Number.MAX_SAFE_INTEGER,
        touchesSince: () => 0,
      },
    };
    const setTopic = (user: TestUser, topic: string) =>
      setRoomState(deaf, requesterOf(user), roomId, {
        type: "m.room.topic",
        stateKey: "",
        content: { topic },
      });
    await setTopic(alice, "one");
    await setTopic(alice, "one");
    const path = `/rooms/${roomId}/state/m.room.topic`;
    await alice.put(path, { topic: "two" });
    await setTopic(alice, "one");
    expect((await alice.get(path)).body).to.deep.equal({ topic: "one" });

    const refused = await setTopic(bob, "bob's").catch((e: unknown) => e);
    expect(refused).to.have.property("errcode", "M_FORBIDDEN");
    await alice.put(`/rooms/${roomId}/state/m.room.power_levels`, {
      users: { [alice.userId]: 100, [bob.userId]: 50 },
    });
    await setTopic(bob, "bob's");
    expect((await alice.get(path)).body).to.deep.equal({ topic: "bob's" });
  });

  it("judge by what state reads like once the other has redacted it", async () => {
    const bob = await server.user("redactee");
    const [carol, dave] = [
      await server.user("carol"),
      await server.user("dave"),
    ];
    const room = `/rooms/${await createRoom({ room_version: "10" })}`;
    await bob.post(`${room}/join`);
    // Version 10 leaves nothing of `invite` when it redacts power levels: then it takes 0.
    const levels = eventIdOf(
      await alice.put(`${room}/state/m.room.power_levels`, {
        users: { [alice.userId]: 100 },
        users_default: -10,
        events_default: -10,
        invite: -10,
      }),
    );
    const invite = ({ userId }: TestUser) =>
      bob.post(`${room}/invite`, { user_id: userId });
    expect((await invite(carol)).status).to.equal(200);
    eventIdOf(
      await other.as(alice).put(`${room}/redact/${levels}/redaction`, {}),
    );
    await server.edges.notifier.refresh();
    eventIdOf(await bob.put(`${room}/send/m.room.message/after`, {}));
    expect((await invite(dave)).status).to.equal(403);
  });
});

const requesterOf = ({ userId, deviceId }: TestUser) =>
  ({ userId, deviceId, isGuest: false }) as Requester;
