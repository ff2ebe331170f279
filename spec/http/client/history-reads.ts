import { expect } from "chai";
import {
  type Bundled,
  relationsPath,
  threadsPath,
} from "../../support/relations.ts";
import {
  getMessages,
  idsOf,
  must,
  pageThrough,
  path,
} from "../../support/rooms.ts";
import type { Page, RoomEvent } from "../../support/rooms.ts";
import type { Answer, Json } from "../../support/server.ts";
import { HistoryOracle } from "./history-oracle.ts";
import type { HistoryClient, HistoryRoom } from "./history-room.ts";
import { idsAt, type ReadPath, type Scene } from "./history-scene.ts";
import { streamPaths } from "./history-streams.ts";
import { type HistoryWatch, throwDice } from "./history-watch.ts";

interface Context {
  events_before: RoomEvent[];
  events_after: RoomEvent[];
  state: RoomEvent[];
}

const timeOf = (event: RoomEvent): number =>
  (event as RoomEvent & { origin_server_ts: number }).origin_server_ts;

/** Every way to read a room. A further one is a further entry. */
export const readPaths: readonly ReadPath[] = [
  {
    name: "/messages",
    async check(scene) {
      const { viewer, roomId, oracle } = scene;
      if (!oracle.mayAsk()) {
        const target = `${path`/rooms/${roomId}/messages`}?dir=b`;
        expect((await viewer.get(target)).status).to.equal(403);
        return;
      }
      const expected = idsAt(scene, oracle.history());
      const isForwards = throwDice(scene.chance, 5, 2) === 0;
      const read = (dir: string, isInParts: boolean) =>
        pageThrough(viewer, roomId, { dir, limit: isInParts ? 6 : 1000 });
      const [forwards, backwards] = await Promise.all([
        read("f", isForwards),
        read("b", !isForwards),
      ]);
      expect(idsOf(forwards)).to.deep.equal(expected);
      expect(idsOf(backwards)).to.deep.equal(expected.toReversed());
    },
  },
  {
    name: "/event",
    async check({ viewer, roomId, events, oracle, places }) {
      const answers = await Promise.all(
        places.map((at) =>
          viewer.get(path`/rooms/${roomId}/event/${events[at]!.event_id}`),
        ),
      );
      const seen = answers.map(({ status }) => status === 200);
      const expected = places.map((at) => oracle.mayAsk() && oracle.maySee(at));
      expect(seen).to.deep.equal(expected);
    },
  },
  {
    name: "/context",
    async check(scene) {
      const places = scene.places.slice(0, 2);
      await Promise.all(places.map((at) => checkContext(scene, at)));
    },
  },
  {
    name: "/state",
    async check({ viewer, roomId, oracle }) {
      const state = await viewer.get(path`/rooms/${roomId}/state`);
      const { end } = oracle;
      if (end === undefined) {
        expect(state.status).to.equal(403);
        return;
      }
      const body = JSON.parse(state.text) as Json;
      const shown = must<RoomEvent[]>({ ...state, body });
      expect(idsOf(shown)).to.have.members(oracle.state(end));
    },
  },
  {
    name: "/members",
    async check({ viewer, roomId, oracle, token, tokenAt }) {
      const target = path`/rooms/${roomId}/members`;
      const [now, then] = await Promise.all([
        viewer.get(target),
        viewer.get(`${target}?at=${token}`),
      ]);
      const { end } = oracle;
      if (end === undefined) {
        expect([now.status, then.status]).to.deep.equal([403, 403]);
        return;
      }
      const membersIn = (answer: Answer) => idsOf(must<Page>(answer).chunk);
      const stateAt = (count: number) => oracle.state(count, "m.room.member");
      expect(membersIn(now)).to.have.members(stateAt(end));
      const earlier = Math.min(end, tokenAt);
      expect(membersIn(then)).to.have.members(stateAt(earlier));
    },
  },
  ...streamPaths,
  {
    name: "/search",
    async check(scene) {
      const { events, oracle, roomId, viewer } = scene;
      const expected = events
        .map((_, index) => index)
        .filter(
          (index) =>
            events[index]!.type === "m.room.message" &&
            oracle.maySearch() &&
            oracle.mayAsk() &&
            oracle.maySee(index),
        )
        .toReversed();
      const { ids, count } = await searchThrough(viewer, roomId);
      expect(ids).to.deep.equal(idsAt(scene, expected));
      expect(count).to.equal(expected.length);
    },
  },
  {
    name: "/relations, /threads and what is told beside a thread's root",
    check: checkThreads,
  },
  {
    name: "/timestamp_to_event",
    async check(scene) {
      const asked = scene.places
        .slice(2, 5)
        .flatMap((at) => [
          checkTime(scene, at, "f"),
          checkTime(scene, at, "b"),
        ]);
      await Promise.all(asked);
    },
  },
  {
    name: "/hierarchy and /room_summary",
    async check({ viewer, roomId, oracle }) {
      const [hierarchy, summary] = await Promise.all([
        viewer.get(`/_matrix/client/v1${path`/rooms/${roomId}/hierarchy`}`),
        viewer.get(`/_matrix/client/v1${path`/room_summary/${roomId}`}`),
      ]);
      if (!oracle.mayKnowOf()) {
        expect([hierarchy.status, summary.status]).to.deep.equal([403, 404]);
        return;
      }
      const told = {
        room_id: roomId,
        world_readable: oracle.isWorldReadable,
      };
      const [room] = must<{ rooms: Json[] }>(hierarchy).rooms;
      expect(room).to.include(told);
      expect(must(summary)).to.include(told);
    },
  },
];

async function checkContext(scene: Scene, at: number): Promise<void> {
  const { viewer, roomId, events, oracle } = scene;
  const target = path`/rooms/${roomId}/context/${events[at]!.event_id}`;
  const answer = await viewer.get(`${target}?limit=1000`);
  if (!oracle.mayAsk() || !oracle.maySee(at)) {
    expect(answer.status).to.equal(404);
    return;
  }
  const found = must<Context>(answer);
  const history = oracle.history();
  const before = history.filter((index) => index < at).reverse();
  const after = history.filter((index) => index > at);
  expect(idsOf(found.events_before)).to.deep.equal(idsAt(scene, before));
  expect(idsOf(found.events_after)).to.deep.equal(idsAt(scene, after));
  const last = after.at(-1) ?? at;
  expect(idsOf(found.state)).to.have.members(oracle.state(last + 1));
}

async function checkTime(
  { viewer, roomId, events, oracle }: Scene,
  at: number,
  dir: "f" | "b",
): Promise<void> {
  const ts = timeOf(events[at]!);
  const answer = await viewer.get(
    `/_matrix/client/v1${path`/rooms/${roomId}/timestamp_to_event`}?ts=${ts}&dir=${dir}`,
  );
  if (!oracle.mayAsk()) {
    expect(answer.status).to.equal(403);
    return;
  }
  const isSeen = (event: RoomEvent, index: number) =>
    (dir === "f" ? timeOf(event) >= ts : timeOf(event) <= ts) &&
    oracle.maySee(index);
  const nearest = dir === "f" ? events.find(isSeen) : events.findLast(isSeen);
  if (nearest) expect(must(answer)["event_id"]).to.equal(nearest.event_id);
  else expect(answer.status).to.equal(404);
}

async function checkThreads(scene: Scene): Promise<void> {
  const { viewer, roomId, events, oracle, roots } = scene;
  const rootOf = (event: RoomEvent): unknown =>
    (event.content["m.relates_to"] as Json | undefined)?.["event_id"];
  const isSeen = (index: number): boolean =>
    oracle.mayAsk() && oracle.maySee(index);
  const threads = new Map<string, string[]>();
  const readThread = async (root: string): Promise<void> => {
    const replies = events
      .filter((event, index) => rootOf(event) === root && isSeen(index))
      .map((event) => event.event_id)
      .reverse();
    const at = events.findIndex((event) => event.event_id === root);
    if (isSeen(at) && replies.length > 0) threads.set(root, replies);
    if (!asked.has(root)) return;
    const [related, shown] = await Promise.all([
      viewer.get(relationsPath(roomId, root)),
      viewer.get(path`/rooms/${roomId}/event/${root}`),
    ]);
    expect(related.status === 200).to.equal(isSeen(at));
    if (!isSeen(at)) return;
    const { chunk } = must<Page>(related);
    expect(idsOf(chunk)).to.deep.equal(replies.slice(0, 20));
    const { unsigned } = must<Bundled>(shown);
    const thread = unsigned["m.relations"]?.["m.thread"];
    expect(thread?.count ?? 0).to.equal(replies.length);
    expect(thread?.latest_event.event_id).to.equal(replies[0]);
  };
  const asked = new Set([roots[0], roots[scene.chance % roots.length]]);
  await Promise.all(roots.map(readThread));
  const listed = await viewer.get(threadsPath(roomId));
  expect(listed.status === 200).to.equal(oracle.mayAsk());
  if (!oracle.mayAsk()) return;
  const places = new Map(events.map((event, at) => [event.event_id, at]));
  const placeOf = (root: string) => places.get(threads.get(root)![0]!)!;
  const expected = [...threads.keys()].sort((a, b) => placeOf(b) - placeOf(a));
  expect(idsOf(must<Page>(listed).chunk)).to.deep.equal(expected.slice(0, 20));
}

/** All messages that a search finds in a room, the newest first. */
async function searchThrough(
  viewer: HistoryClient,
  roomId: string,
): Promise<{ ids: string[]; count: number }> {
  const ids: string[] = [];
  const criteria = {
    search_term: "word",
    order_by: "recent",
    filter: { rooms: [roomId], limit: 9 },
  };
  for (let next = ""; ;) {
    const answer = must<{
      search_categories: {
        room_events: {
          count: number;
          results: { result: RoomEvent }[];
          next_batch?: string;
        };
      };
    }>(
      await viewer.post(`/search?next_batch=${next}`, {
        search_categories: { room_events: criteria },
      }),
    );
    const found = answer.search_categories.room_events;
    ids.push(...found.results.map(({ result }) => result.event_id));
    if (found.next_batch === undefined) return { ids, count: found.count };
    next = found.next_batch;
  }
}

/** Holds what each viewer is served of a room on each way against the oracle. */
export async function checkReads(
  room: HistoryRoom,
  owner: HistoryClient,
  watches: ReadonlyMap<HistoryClient, HistoryWatch>,
  chance: number,
): Promise<void> {
  const { roomId, events, forgotten, roots } = room;
  const limit = 1 + (chance % (events.length - 1));
  const page = await getMessages(owner, roomId, { dir: "f", limit });
  const places = [0, 1, 2, 3, 4, 5].map(
    (i) => (chance + i * 7) % events.length,
  );
  const token = page.end!;
  const checks = [...watches].flatMap(([viewer, watch]) => {
    const { userId } = viewer;
    const oracle = new HistoryOracle(events, userId, forgotten.get(userId));
    const scene: Scene = {
      ...{ viewer, roomId, events, oracle, roots, places, watch, chance },
      ...{ token, tokenAt: limit },
    };
    return readPaths.map(async ({ name, check }) => {
      try {
        await check(scene);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        throw new Error(`${name} of ${userId}: ${text}`, { cause: error });
      }
    });
  });
  await Promise.all(checks);
}
