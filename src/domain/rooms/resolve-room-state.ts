import type { Edges } from "../../edges.ts";
import { resolveState } from "../../core/state/resolve.ts";
import { listAuthChainHeads } from "../../storage/received.ts";
import { openEvents } from "./event-store.ts";
import {
  type Ground,
  type GroundEdges,
  readEntries,
  readWhole,
} from "./receive-ground.ts";
import { toRoomEvent } from "./room-head.ts";
import { listNids, type StateSet } from "./state-set.ts";

/** Makes a state that differs from another in these events. */
export type Derive = (
  base: StateSet,
  added: ReadonlySet<number>,
  removed: ReadonlySet<number>,
) => StateSet;

export type Resolve = (sets: Iterable<StateSet>) => Promise<StateSet>;

/**
 * The one state that follows from several. What resolution needs besides the
 * states (all of their events and auth chains) is read when the first two differ.
 */
export function createResolver(
  edges: GroundEdges & Pick<Edges, "log">,
  ground: Ground,
  derive: Derive,
): Resolve {
  const known = new Map<string, StateSet>();
  let reading: Promise<void> | undefined;
  return async (given) => {
    const sets = [...new Map([...given].map((set) => [set.key, set])).values()];
    if (sets.length === 1) return sets[0]!;
    const key = sets
      .map((set) => set.key)
      .sort()
      .join();
    let state = known.get(key);
    if (!state) {
      await (reading ??= readAll(edges, ground));
      state = resolve(ground, sets, derive);
      known.set(key, state);
    }
    return state;
  };
}

function resolve(
  { current, index, room }: Ground,
  sets: readonly StateSet[],
  derive: Derive,
): StateSet {
  const resolved = resolveState(
    room.rules,
    sets.map((set) => index.mapOf(set)),
    index.event,
  );
  const nids = index.nidsOf(resolved);
  const [nearest] = [current, ...sets]
    .map((base) => {
      const before = listNids(base);
      const added = new Set([...nids].filter((nid) => !before.has(nid)));
      const removed = new Set([...before].filter((nid) => !nids.has(nid)));
      return { base, added, removed, size: added.size + removed.size };
    })
    .sort((a, b) => a.size - b.size);
  const { base, added, removed, size } = nearest!;
  return size === 0 ? base : derive(base, added, removed);
}

/** Everything that resolution may look at, in a number of queries that the room's size does not move. */
async function readAll(edges: GroundEdges, ground: Ground): Promise<void> {
  const { authEvents, heads, index, room, states } = ground;
  await readWhole(edges, ground);
  const nids = new Set<number>();
  for (const set of states.values()) {
    for (const nid of set.added) nids.add(nid);
  }
  await readEntries(edges, index, nids);
  for (const [eventId, event] of authEvents) {
    const { nid, roomNid } = heads.get(eventId)!;
    if (roomNid === room.roomNid) index.add(nid, event);
  }
  const absent = new Set<string>();
  for (;;) {
    const wanted = index.listUnknownAuthIds().filter((id) => !absent.has(id));
    if (wanted.length === 0) return;
    for (const eventId of wanted) absent.add(eventId);
    const chain = await listAuthChainHeads(edges.db, room.roomNid, wanted);
    const unknown = chain.filter(({ nid }) => !index.has(nid));
    for (const event of await openEvents(edges, unknown)) {
      index.add(event.nid, toRoomEvent(event));
    }
  }
}
