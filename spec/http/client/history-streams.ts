import { expect } from "chai";
import { must } from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import type { SlidingRoom } from "../../support/sliding-reader.ts";
import { idsAt, type ReadPath, type Scene } from "./history-scene.ts";
import { SlidingWatch, throwDice } from "./history-watch.ts";

const idsOf = (events: readonly { event_id: string }[] = []): string[] =>
  events.map(({ event_id: id }) => id);

/** What is told of a room as it goes on: syncs of both kinds and notifications. */
export const streamPaths: readonly ReadPath[] = [
  { name: "/sync", check: checkFirstSync },
  { name: "/sync from a token", check: checkNextSync },
  {
    name: "sliding sync",
    async check(scene) {
      const { viewer, roomId, chance } = scene;
      const dice = throwDice(chance, 8, 4);
      const watch = new SlidingWatch(viewer, roomId, { purpose: "look", dice });
      const limit = [3, 10, 100][throwDice(chance, 9, 3)]!;
      const room = await watch.next(limit);
      checkSliding(scene, room, watch.isLazy, sightOf(scene, 0, limit));
    },
  },
  {
    name: "sliding sync from a position",
    async check(scene) {
      const { chance, watch } = scene;
      const { isLazy, limit: before } = watch.sliding;
      const limit = before + 6 * throwDice(chance, 10, 2);
      const room = await watch.sliding.next(limit);
      const sight = sightOf(scene, watch.at, limit);
      checkSliding(scene, room, isLazy, sight);
    },
  },
  { name: "/notifications", check: checkNotifications },
];

interface SyncRooms {
  rooms?: Record<
    string,
    Record<
      string,
      { timeline: { events: RoomEvent[] }; state: { events: RoomEvent[] } }
    >
  >;
}

const wholeOf = (roomId: string) => ({
  room: { rooms: [roomId], include_leave: true, timeline: { limit: 1_000 } },
});

async function checkFirstSync(scene: Scene): Promise<void> {
  const { viewer, roomId, events, oracle } = scene;
  const query = encodeURIComponent(JSON.stringify(wholeOf(roomId)));
  const { rooms = {} } = must<SyncRooms>(
    await viewer.get(`/sync?set_presence=offline&filter=${query}`),
  );
  const shownAs = (section: string) =>
    rooms[section]?.[roomId]?.timeline.events.map(({ event_id: id }) => id);
  const expected = idsAt(scene, oracle.history());
  const isJoined = oracle.membership === "join";
  expect(shownAs("join")).to.deep.equal(isJoined ? expected : undefined);
  // How much of a room that was left is told is the server's to choose.
  const seen = events
    .filter((_, index) => oracle.maySee(index))
    .map(({ event_id: id }) => id);
  expect(seen).to.include.members(shownAs("leave") ?? []);
  expect(stateBefore(scene)).to.include.members(
    idsOf(rooms["leave"]?.[roomId]?.state.events),
  );
  if (!oracle.hasLeft || oracle.hasForgotten)
    expect(shownAs("leave")).to.equal(undefined);
}

async function checkNextSync(scene: Scene): Promise<void> {
  const { roomId, events, oracle, watch } = scene;
  const { join, leave } = (await watch.sync.next({ filter: wholeOf(roomId) }))
    .rooms;
  const wasIn = oracle.membershipAfter(watch.at) === "join";
  const news = events
    .map((_, index) => index)
    .filter((index) => index >= watch.at && oracle.maySee(index));
  if (oracle.membership === "join") {
    const owed = wasIn ? news : oracle.history();
    expect(idsOf(join[roomId]?.timeline.events)).to.deep.equal(
      idsAt(scene, owed),
    );
    expect(leave).not.to.have.property(roomId);
    return;
  }
  expect(join).not.to.have.property(roomId);
  const { ownIndex } = oracle;
  const isNews = oracle.hasLeft && ownIndex >= watch.at;
  const until = news.filter((index) => index <= ownIndex);
  expect(idsOf(leave[roomId]?.timeline.events)).to.deep.equal(
    idsAt(scene, isNews ? until : []),
  );
  expect(stateBefore(scene)).to.include.members(
    idsOf(leave[roomId]?.state?.events),
  );
}

/** Ids of all that ever was in the state up to where the viewer's last stay ended, and their own memberships. */
const stateBefore = ({ events, oracle, viewer }: Scene): string[] =>
  idsOf(
    events.filter(
      ({ state_key: key, type }, index) =>
        (key !== undefined && index < (oracle.stayEnd ?? 0)) ||
        (key === viewer.userId && type === "m.room.member"),
    ),
  );

/** What sliding sync is to show of a room. */
interface Sight {
  isInitial: boolean;
  /** The timeline is of these events, as many of the last ones as are asked for. */
  from: number;
  upTo: number;
  limit: number;
  /** The state is what changed in these events. */
  stateFrom: number;
  stateAt: number;
}

/** @returns undefined where nothing but an invite's stripped state may be shown */
function sightOf(
  { events, oracle, viewer, watch }: Scene,
  at: number,
  limit: number,
): Sight | undefined {
  const told = at === 0 ? undefined : watch.sliding.told;
  // Of an invite there was no timeline.
  const before = told?.timeline ? watch.sliding.limit : 0;
  const isGrown = told !== undefined && limit > before;
  const { ownIndex, stayEnd } = oracle;
  if (oracle.membership === "join") {
    const isInitial = !told || !oracle.isInSince(at);
    const { length } = events;
    return {
      ...{ isInitial, limit, upTo: length, stateAt: length },
      from: isInitial || isGrown ? 0 : at,
      stateFrom: isInitial ? 0 : at,
    };
  }
  if (!oracle.hasLeft || ownIndex < 0) return undefined;
  const sight = { limit, upTo: ownIndex + 1, stateAt: stayEnd ?? 0 };
  if (told) {
    const from = isGrown && !oracle.hasForgotten ? 0 : at;
    return { ...sight, isInitial: false, from, stateFrom: at };
  }
  const isTakenOut = events[ownIndex]!.sender !== viewer.userId;
  if (!isTakenOut || stayEnd === undefined || oracle.hasForgotten)
    return undefined;
  return { ...sight, isInitial: true, from: 0, stateFrom: 0 };
}

function checkSliding(
  scene: Scene,
  room: SlidingRoom | undefined,
  isLazy: boolean,
  sight: Sight | undefined,
): void {
  const { events, oracle } = scene;
  if (!sight) {
    const isInvited = oracle.membership === "invite";
    expect(room?.membership).to.equal(isInvited && room ? "invite" : undefined);
    expect(room ?? {}).not.to.have.any.keys("timeline", "required_state");
    const stripped = room?.invite_state ?? [];
    expect(stripped.map(({ type }) => type)).not.to.include("m.room.message");
    return;
  }
  const { from, upTo, limit, isInitial } = sight;
  if (isInitial) expect(room?.initial).to.equal(true);
  else expect(room ?? {}).not.to.have.property("initial");
  const owed = events
    .map((_, index) => index)
    .slice(Math.max(from, upTo - limit), upTo)
    .filter((index) => oracle.maySee(index));
  expect(idsOf(room?.timeline)).to.deep.equal(idsAt(scene, owed));
  if (room) expect(room.limited).to.equal(upTo - from > limit);
  checkSlidingState(scene, room, isLazy, sight, owed);
}

function checkSlidingState(
  { events, oracle, viewer }: Scene,
  room: SlidingRoom | undefined,
  isLazy: boolean,
  { isInitial, stateFrom, stateAt }: Sight,
  owed: readonly number[],
): void {
  const isOwn = ({ type, state_key: key }: RoomEvent) =>
    type === "m.room.member" && key === viewer.userId;
  const known = new Set(isInitial ? [] : oracle.state(stateFrom));
  const changed = new Set(
    stateAt > stateFrom
      ? oracle.state(stateAt).filter((id) => !known.has(id))
      : [],
  );
  const expected = events.filter(
    (event, index) =>
      (changed.has(event.event_id) && !(oracle.hasLeft && isOwn(event))) ||
      // Who went out sees that.
      (oracle.hasLeft && index === oracle.ownIndex && index >= stateFrom),
  );
  const shown = idsOf(room?.required_state);
  if (!isLazy) {
    expect(shown).to.have.members(idsOf(expected));
    return;
  }
  const all = new Set([
    ...oracle.state(stateAt),
    ...idsOf(expected.filter(isOwn)),
  ]);
  expect([...all]).to.include.members(shown);
  if (!isInitial) return;
  const senders = new Set(owed.map((index) => events[index]!.sender));
  const needed = expected.filter(
    ({ type, state_key: key }) =>
      type === "m.room.topic" ||
      (type === "m.room.member" && senders.has(key ?? "")),
  );
  expect(shown).to.include.members(idsOf(needed));
}

async function checkNotifications(scene: Scene): Promise<void> {
  const { events, oracle, roomId, viewer } = scene;
  const { notifications } = must<{
    notifications: { room_id: string; event: RoomEvent }[];
  }>(await viewer.get("/notifications?limit=100"));
  const shown = notifications
    .filter(({ room_id: id }) => id === roomId)
    .map(({ event }) => event.event_id);
  const { membership, stayBegin } = oracle;
  const owed = events.flatMap(({ type, sender }, index) =>
    membership === "join" &&
    index > stayBegin &&
    type === "m.room.message" &&
    sender !== viewer.userId
      ? index
      : [],
  );
  expect(shown).to.deep.equal(idsAt(scene, owed.toReversed()));
}
