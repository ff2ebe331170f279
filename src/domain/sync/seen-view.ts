import { createHash } from "node:crypto";
import type { DecidedReads, Edges } from "../../edges.ts";
import {
  findWithheldRooms,
  keepWithheldRooms,
} from "../../storage/withheld-rooms.ts";
import {
  areUnlimited,
  listWithheld,
  type PolicyEdges,
} from "../policies/enforce.ts";
import { derive } from "../../util/derive.ts";
import type { RoomPlan, Standing } from "./room-plan.ts";
import type { SyncToken } from "./sync-token.ts";
import { readUserView, type UserView } from "./user-view.ts";

type Needs = PolicyEdges & Pick<Edges, "notifier">;

/** The user's rooms without those that policies withhold at the moment. */
export async function readSeenView(
  edges: Needs,
  userId: string,
  upTo: number,
): Promise<UserView> {
  const whole = await readUserView(edges, userId, upTo);
  if (areUnlimited(edges)) return whole;
  const roomNids = await listWithheld(
    edges,
    userId,
    whole.standings.map(({ roomNid }) => roomNid),
  );
  if (roomNids.size === 0) return { ...whole, isDecided: true };
  const joined = new Map(
    [...whole.joined].filter(([roomNid]) => !roomNids.has(roomNid)),
  );
  return {
    ...whole,
    isDecided: true,
    standings: whole.standings.filter((s) => !roomNids.has(s.roomNid)),
    joined,
    joinedNids: new Set(joined.keys()),
    withheld: { roomNids, digest: digestOf(roomNids), whole },
  };
}

/** The edges of one answer, whose reads need not ask policies again, now that the view is known. */
export function seeing<E extends PolicyEdges>(
  edges: E,
  userId: string,
  view: UserView,
): E {
  if (!view.isDecided) return edges;
  const { standings } = view.withheld?.whole ?? view;
  const decided: DecidedReads = {
    userId,
    roomNids: new Set(standings.map(({ roomNid }) => roomNid)),
    withheld: view.withheld?.roomNids ?? new Set(),
  };
  return derive(edges, { decided } as Partial<E>);
}

function digestOf(roomNids: ReadonlySet<number>): string {
  const text = [...roomNids].sort((a, b) => a - b).join(" ");
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export const digestIn = ({ withheld }: UserView): string =>
  withheld?.digest ?? "";

/** What was withheld, or is no more, since a client was told last. */
export interface Shift {
  /** Rooms that it knows, and must let go of. */
  gone: readonly Standing[];
  /** Rooms that it knows nothing of any more. */
  returned: ReadonlySet<number>;
}

const NO_SHIFT: Shift = { gone: [], returned: new Set() };

/** Keeps what the next token names, where the last one names something else. */
export async function readShift(
  { db }: Pick<Edges, "db">,
  userId: string,
  view: UserView,
  since: Pick<SyncToken, "position" | "withheld"> | null,
): Promise<Shift> {
  const { withheld } = view;
  const digest = digestIn(view);
  const before = since?.withheld ?? "";
  if (digest === before) return NO_SHIFT;
  if (withheld)
    await keepWithheldRooms(db, userId, digest, [...withheld.roomNids]);
  if (!since) return NO_SHIFT;
  const kept = before === "" ? [] : await findWithheldRooms(db, userId, before);
  // Of a set that nobody knows any more, every room may have been one.
  const was = new Set(kept ?? view.standings.map(({ roomNid }) => roomNid));
  return {
    returned: new Set([...was].filter((nid) => !withheld?.roomNids.has(nid))),
    gone: (withheld?.whole.standings ?? []).filter(
      (standing) =>
        withheld?.roomNids.has(standing.roomNid) &&
        !(kept && was.has(standing.roomNid)) &&
        isKnown(standing, since.position),
    ),
  };
}

/** Whether a client that has come so far shows the room as one of the user's. */
const isKnown = (
  { membership, isForgotten, sincePosition }: Standing,
  since: number,
): boolean =>
  ["join", "invite", "knock"].includes(membership) &&
  !isForgotten &&
  sincePosition <= since;

/** Those that are still to be shown: an answer may be long on its way. */
export async function stillShown(
  edges: PolicyEdges,
  userId: string,
  rooms: readonly RoomPlan[],
): Promise<readonly RoomPlan[]> {
  if (areUnlimited(edges)) return rooms;
  const nids = rooms.map(({ roomNid }) => roomNid);
  const anew = derive(edges, { decided: undefined });
  const withheld = await listWithheld(anew, userId, nids);
  return rooms.filter(({ roomNid }) => !withheld.has(roomNid));
}
