import { expect } from "chai";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { getEventByTimestamp } from "../../../src/http/client/event-by-timestamp.ts";
import { getMutualRooms } from "../../../src/http/client/mutual-rooms.ts";
import {
  getContext,
  getEvent,
  getMessages,
} from "../../../src/http/client/room-history.ts";
import { getDelayedEvents } from "../../../src/http/client/delayed-events.ts";
import { postKeysQuery } from "../../../src/http/client/keys.ts";
import { getPushers } from "../../../src/http/client/pushers.ts";
import {
  getAllKeys,
  getRoomKeys,
  getSessionKey,
} from "../../../src/http/client/room-keys.ts";
import {
  getJoinedMembers,
  getJoinedRooms,
  getMembers,
} from "../../../src/http/client/room-members.ts";
import { getAllState, getState } from "../../../src/http/client/room-state.ts";
import { getSummary } from "../../../src/http/client/room-summary.ts";
import { getThreadSubscriptions } from "../../../src/http/client/thread-subscriptions.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { newDevice } from "../../support/device-identity.ts";
import { keyData, makeBackup } from "../../support/key-backup.ts";
import { requesterOf } from "../../support/requester.ts";
import {
  act,
  getMessages as readMessages,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

/** How much of everything there is. */
interface Size {
  rooms: number;
  guests: number;
  banned: number;
  messages: number;
}

/** A room, and those who read it. */
interface World {
  owner: TestUser;
  guest: TestUser;
  /** Was in the room, and left when everything had been said. */
  leaver: TestUser;
  /** Came to the hidden room when everything had been said. */
  latecomer: TestUser;
  roomId: string;
  alias: string;
  eventId: string;
  token: string;
  /** One whose history shows to those alone who were there. */
  hiddenId: string;
  backup: string;
  /** Whose devices have keys. */
  keyed: readonly TestUser[];
}

interface Read {
  endpoint: Endpoint;
  asker: TestUser;
  params?: Json;
  query?: Json;
  body?: Json;
}

const LAZY = JSON.stringify({ lazy_load_members: true });

const READS: Readonly<Record<string, (world: World) => Read>> = {
  "/state": ({ owner, roomId }) => ({
    ...{ endpoint: getAllState, asker: owner, params: { roomId } },
  }),
  "/state, of who left": ({ leaver, roomId }) => ({
    ...{ endpoint: getAllState, asker: leaver, params: { roomId } },
  }),
  "/state/{type}/{key}": ({ owner, guest, roomId }) => ({
    endpoint: getState,
    asker: owner,
    params: { roomId, eventType: "m.room.member", stateKey: guest.userId },
  }),
  "/state/{type}/{key}, of who left": ({ leaver, guest, roomId }) => ({
    endpoint: getState,
    asker: leaver,
    params: { roomId, eventType: "m.room.member", stateKey: guest.userId },
  }),
  "/members": ({ owner, roomId }) => ({
    ...{ endpoint: getMembers, asker: owner, params: { roomId } },
  }),
  "/members?at": ({ owner, roomId, token: at }) => ({
    ...{ endpoint: getMembers, asker: owner, params: { roomId } },
    query: { at },
  }),
  "/members, of who left": ({ leaver, roomId }) => ({
    ...{ endpoint: getMembers, asker: leaver, params: { roomId } },
  }),
  "/joined_members": ({ owner, roomId }) => ({
    ...{ endpoint: getJoinedMembers, asker: owner, params: { roomId } },
  }),
  "/joined_rooms": ({ owner }) => ({ endpoint: getJoinedRooms, asker: owner }),
  "/event": ({ owner, roomId, eventId }) => ({
    ...{ endpoint: getEvent, asker: owner, params: { roomId, eventId } },
  }),
  "/event, of who left": ({ leaver, roomId, eventId }) => ({
    ...{ endpoint: getEvent, asker: leaver, params: { roomId, eventId } },
  }),
  "/context": ({ owner, roomId, eventId }) => ({
    ...{ endpoint: getContext, asker: owner, params: { roomId, eventId } },
    query: { limit: 10 },
  }),
  "/context, with members as they are needed": (world) => ({
    endpoint: getContext,
    asker: world.leaver,
    params: { roomId: world.roomId, eventId: world.eventId },
    query: { limit: 10, filter: LAZY },
  }),
  "/messages": ({ owner, roomId }) => ({
    ...{ endpoint: getMessages, asker: owner, params: { roomId } },
    query: { dir: "b", limit: 1000, filter: LAZY },
  }),
  "/messages, of who left": ({ leaver, roomId }) => ({
    ...{ endpoint: getMessages, asker: leaver, params: { roomId } },
    query: { dir: "f", limit: 1000, filter: LAZY },
  }),
  "/timestamp_to_event": ({ owner, roomId }) => ({
    ...{ endpoint: getEventByTimestamp, asker: owner, params: { roomId } },
    query: { ts: 0, dir: "f" },
  }),
  "/timestamp_to_event, of who may see the last events alone": (world) => ({
    endpoint: getEventByTimestamp,
    asker: world.latecomer,
    params: { roomId: world.hiddenId },
    query: { ts: 0, dir: "f" },
  }),
  "/room_summary": ({ latecomer, roomId }) => ({
    endpoint: getSummary,
    asker: latecomer,
    params: { roomIdOrAlias: roomId },
  }),
  "/room_summary by alias": ({ owner, alias }) => ({
    ...{ endpoint: getSummary, asker: owner, params: { roomIdOrAlias: alias } },
  }),
  "/mutual_rooms": ({ owner, guest }) => ({
    endpoint: getMutualRooms,
    asker: owner,
    query: { user_id: guest.userId },
  }),
  "/thread_subscriptions": ({ owner }) => ({
    ...{ endpoint: getThreadSubscriptions, asker: owner },
    query: { dir: "b", limit: 1000 },
  }),
  "/room_keys/keys/{roomId}/{sessionId}": ({ owner, roomId, backup }) => ({
    endpoint: getSessionKey,
    asker: owner,
    params: { roomId, sessionId: "s0" },
    query: { version: backup },
  }),
  "/room_keys/keys/{roomId}": ({ owner, roomId, backup }) => ({
    ...{ endpoint: getRoomKeys, asker: owner, params: { roomId } },
    query: { version: backup },
  }),
  "/room_keys/keys": ({ owner, backup }) => ({
    ...{ endpoint: getAllKeys, asker: owner, query: { version: backup } },
  }),
  "/keys/query": ({ owner, keyed }) => ({
    endpoint: postKeysQuery,
    asker: owner,
    body: {
      device_keys: Object.fromEntries(keyed.map(({ userId }) => [userId, []])),
    },
  }),
  "/pushers": ({ owner }) => ({ endpoint: getPushers, asker: owner }),
  "/delayed_events": ({ owner }) => ({
    ...{ endpoint: getDelayedEvents, asker: owner, query: {} },
  }),
};

describe("the statements of a read", () => {
  const server = useServer();
  let small: World;
  let large: World;

  before(async function () {
    this.timeout(90_000);
    const few = { rooms: 10, guests: 2, banned: 8, messages: 12 };
    const many = { rooms: 500, guests: 10, banned: 490, messages: 400 };
    small = await makeWorld("small", few);
    large = await makeWorld("large", many);
  });

  const times = async (
    count: number,
    what: (i: number) => Promise<unknown>,
  ): Promise<void> => {
    for (let i = 0; i < count; i += 20) {
      const some = Array.from({ length: Math.min(20, count - i) }, (_, n) =>
        what(i + n),
      );
      await Promise.all(some);
    }
  };

  async function makeWorld(name: string, size: Size): Promise<World> {
    const [owner, leaver, latecomer, ...guests] = await Promise.all(
      ["owner", "leaver", "late", ...Array(size.guests).fill("guest")].map(
        (each: string, i) => server.user(`${name}-${each}${i}`),
      ),
    );
    const roomId = await makeRoom(owner!, {
      preset: "public_chat",
      room_alias_name: name,
      name,
    });
    for (const user of [leaver!, ...guests]) await act(user, roomId, "join");
    await times(size.banned, (i) =>
      act(owner!, roomId, "ban", { user_id: `@banned${i}:test` }),
    );
    const eventId = await say(owner!, roomId, "first");
    await times(size.messages, (i) => say(owner!, roomId, `more ${i}`));
    const page = { dir: "f", limit: size.banned };
    const { end } = await readMessages(owner!, roomId, page);
    await act(leaver!, roomId, "leave");
    const hiddenId = await makePublicRoom(owner!, "joined");
    await times(size.messages, (i) => say(owner!, hiddenId, `hidden ${i}`));
    await act(latecomer!, hiddenId, "join");
    const backup = await makeBackup(owner!);
    await owner!.put(`/room_keys/keys?version=${backup}`, {
      rooms: {
        [roomId]: {
          sessions: Object.fromEntries(
            Array.from({ length: size.rooms }, (_, i) => [`s${i}`, keyData()]),
          ),
        },
      },
    });
    await times(size.rooms / 10, async (i) => {
      const root = await say(owner!, roomId, `root ${i}`);
      must(
        await owner!.put(
          `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${roomId}/thread/${root}/subscription`}`,
          {},
        ),
      );
    });
    const keyed = [owner!, ...guests];
    await Promise.all(
      keyed.map(async (user) => {
        const { deviceKeys } = newDevice(user);
        must(await user.post("/keys/upload", { device_keys: deviceKeys }));
      }),
    );
    await times(size.rooms / 10, async (i) => {
      must(
        await owner!.post("/pushers/set", {
          ...{ kind: "http", app_id: "org.app", pushkey: `${i}`, lang: "en" },
          ...{ app_display_name: "App", device_display_name: "Phone" },
          data: { url: "https://push.example.org/_matrix/push/v1/notify" },
          append: true,
        }),
      );
      must(
        await owner!.put(
          `${path`/rooms/${roomId}/send/m.room.message/later${String(i)}`}?org.matrix.msc4140.delay=3600000`,
          { msgtype: "m.text", body: `later ${i}` },
        ),
      );
    });
    await addRooms(roomId, [owner!, guests[0]!], size.rooms);
    return {
      ...{ owner: owner!, guest: guests[0]!, leaver: leaver! },
      ...{ latecomer: latecomer!, roomId, alias: `#${name}:test` },
      ...{ eventId, token: end!, hiddenId, backup, keyed },
    };
  }

  /** Rooms that these share, as far as their memberships tell. */
  async function addRooms(
    roomId: string,
    users: readonly TestUser[],
    count: number,
  ): Promise<void> {
    const { sql } = server.database;
    const userIds = users.map(({ userId }) => userId);
    await sql`
      insert into rooms (room_nid, room_id, room_version, is_published, created_ts)
      select -1000 * room_nid - n, '!more' || n || 'x' || room_nid, '12', false, 1
      from rooms, generate_series(1, ${count}::int) as n where room_id = ${roomId}`;
    await sql`
      insert into memberships (user_id, room_nid, membership, sender, nid, position, since_position)
      select user_id, -1000 * room_nid - n, membership, sender, nid, position, since_position
      from memberships, generate_series(1, ${count}::int) as n
      where room_nid = (select room_nid from rooms where room_id = ${roomId})
        and user_id = any(${userIds}::text[])`;
  }

  /** With nothing remembered. */
  async function count(read: Read): Promise<{ taken: number; size: number }> {
    const counting = countStatements(server.edges.db);
    const memory = new ProcessMemory();
    const { endpoint, asker, params = {}, query = {}, body } = read;
    const answer = await endpoint.handle(
      { ...server.edges, db: counting.sql, memory },
      {
        ...{ params, query, body },
        request: undefined as never,
        requester: requesterOf(asker),
      },
    );
    return { taken: counting.taken(), size: JSON.stringify(answer).length };
  }

  for (const [name, read] of Object.entries(READS))
    it(`are as many for ${name} with 500 rooms, 500 members and 400 messages as with 10 of each`, async () => {
      const inSmall = await count(read(small));
      const inLarge = await count(read(large));
      expect(inLarge.taken).to.equal(inSmall.taken).and.to.be.within(1, 32);
    });

  it("are counted of answers that grow", async () => {
    for (const name of ["/state", "/members", "/messages", "/mutual_rooms"]) {
      const inSmall = await count(READS[name]!(small));
      const inLarge = await count(READS[name]!(large));
      expect(inLarge.size, name).to.be.above(5 * inSmall.size);
    }
  });
});
