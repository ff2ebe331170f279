import type { Edges } from "../../../edges.ts";
import {
  addSlidingState,
  beginSlidingStates,
  type Connection,
  listSlidingStates,
  type SlidingStateRow,
} from "../../../storage/sliding-states.ts";
import { slot } from "../../../util/process-memory.ts";
import { WeightedCache } from "../../../util/weighted-cache.ts";
import { decodeChanges, encodeChanges } from "./encode-sent.ts";
import {
  applyChanges,
  type SentChanges,
  type SentRooms,
} from "./sent-rooms.ts";
import { type SlidingPos, unknownPos } from "./sliding-pos.ts";

/** What a connection was sent, when the client comes back with the token that names it. */
export interface ConnectionState {
  readonly rooms: SentRooms;
  readonly seq: number;
  readonly stateId: number;
  /** The stored states that it is read from: a whole one, and the changes since. */
  readonly chain: readonly number[];
  readonly wholeSeq: number;
  readonly storedTs: number;
}

type Needs = Pick<Edges, "db" | "memory" | "now" | "random">;

export const NOTHING_SENT: ConnectionState = {
  rooms: new Map(),
  seq: 0,
  stateId: 0,
  chain: [],
  wholeSeq: 0,
  storedTs: 0,
};

/** Of each device; who opens more loses those that were used least. */
const MOST_CONNECTIONS = 20;
/** After so many changes the state is stored whole again. */
const LONGEST_CHAIN = 16;
/** A connection in use shows that it is, so that it does not expire. */
const RENEWED_EVERY_MS = 24 * 60 * 60 * 1000;

const MOST_BYTES = 32 * 1024 * 1024;
const states = slot(
  () =>
    new WeightedCache<string, ConnectionState>(
      MOST_BYTES,
      ({ rooms }) => 400 + 200 * rooms.size,
    ),
);

/** Throws `M_UNKNOWN_POS` where the token's state is not there any more. */
export async function readConnection(
  edges: Needs,
  connection: Connection,
  pos: SlidingPos,
): Promise<ConnectionState> {
  const { seq, stateId } = pos;
  if (stateId === 0) return NOTHING_SENT;
  const cache = edges.memory.of(states);
  const key = keyOf(connection, stateId);
  const known = cache.get(key);
  if (known) {
    // The client has come on from the one before.
    const before = known.chain.at(-2);
    if (before !== undefined) cache.delete(keyOf(connection, before));
    return known;
  }
  const rows = await listSlidingStates(edges.db, connection, seq);
  const chain = chainOf(rows, pos);
  if (!chain) throw unknownPos();
  const state: ConnectionState = {
    rooms: chain.reduce<SentRooms>(
      (rooms, { change }) => applyChanges(rooms, decodeChanges(change)),
      NOTHING_SENT.rooms,
    ),
    seq,
    stateId,
    chain: chain.map((row) => row.stateId),
    wholeSeq: chain[0]!.seq,
    storedTs: chain.at(-1)!.createdTs,
  };
  cache.set(key, state);
  return state;
}

/** The rows that make a state, oldest first; undefined where one of them is gone. */
function chainOf(
  rows: readonly SlidingStateRow[],
  { seq, stateId }: SlidingPos,
): SlidingStateRow[] | undefined {
  const byId = new Map(rows.map((row) => [row.stateId, row]));
  const chain: SlidingStateRow[] = [];
  let wanted: number | null = stateId;
  while (wanted !== null) {
    const row = byId.get(wanted);
    if (!row || row.seq !== seq - chain.length) return undefined;
    chain.unshift(row);
    wanted = row.parentId;
  }
  return chain;
}

/** Stores what an answer changed, before it leaves; nothing where nothing did. */
export async function saveConnection(
  edges: Needs,
  connection: Connection,
  before: ConnectionState,
  changes: SentChanges,
): Promise<ConnectionState> {
  const nowTs = edges.now();
  const isDue =
    before.stateId !== 0 && nowTs - before.storedTs > RENEWED_EVERY_MS;
  if (changes.size === 0 && !isDue) return before;
  const rooms = applyChanges(before.rooms, changes);
  const isWhole = before.stateId === 0 || before.chain.length >= LONGEST_CHAIN;
  const stateId = edges.random.bytes(6).readUIntBE(0, 6) + 1;
  const row = {
    stateId,
    parentId: isWhole ? null : before.stateId,
    change: encodeChanges(isWhole ? rooms : changes),
    createdTs: nowTs,
  };
  const seq =
    before.stateId === 0
      ? await beginSlidingStates(edges.db, connection, row, MOST_CONNECTIONS)
      : await addSlidingState(edges.db, connection, row, before);
  const state: ConnectionState = {
    rooms,
    seq,
    stateId,
    chain: isWhole ? [stateId] : [...before.chain, stateId],
    wholeSeq: isWhole ? seq : before.wholeSeq,
    storedTs: nowTs,
  };
  edges.memory.of(states).set(keyOf(connection, stateId), state);
  return state;
}

const keyOf = (
  { userId, deviceId, connId }: Connection,
  stateId: number,
): string => JSON.stringify([stateId, connId, deviceId, userId]);
