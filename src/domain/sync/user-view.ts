import type { Edges } from "../../edges.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import type { Standing } from "./room-plan.ts";

/** What a user has to do with rooms, as it is at one position of the stream. */
export interface UserView {
  upTo: number;
  standings: readonly Standing[];
  joined: ReadonlyMap<number, Standing>;
  joinedNids: ReadonlySet<number>;
  ignored: ReadonlySet<string>;
  /** Absent where no policy withholds any of them. */
  withheld?: Withheld;
  /** Policies were asked about all of them. */
  isDecided?: true;
}

/** Rooms that policies withhold from a user at the moment, and the view that they are in. */
export interface Withheld {
  roomNids: ReadonlySet<number>;
  /** Names the set in tokens. */
  digest: string;
  whole: UserView;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

const MOST_ROOMS = 400_000;
const views = slot(
  () =>
    new WeightedCache<string, UserView>(
      MOST_ROOMS,
      ({ standings }) => 5 + standings.length,
    ),
);

/**
 * The view at `upTo`, or later. Whatever changes it touches the user in the stream,
 * so what is remembered holds until then.
 * @param upTo a position that this process has seen
 */
export async function readUserView(
  edges: Needs,
  userId: string,
  upTo: number,
): Promise<UserView> {
  const { memory, notifier } = edges;
  const cache = memory.of(views);
  const known = cache.get(userId);
  if (known && known.upTo <= upTo && !notifier.isTouched(userId, known.upTo)) {
    known.upTo = upTo;
    return { ...known };
  }
  const view = await loadView(edges, userId, upTo);
  cache.set(userId, { ...view });
  return view;
}

async function loadView(
  edges: Needs,
  userId: string,
  first: number,
): Promise<UserView> {
  for (let upTo = first; ; upTo = await edges.notifier.refresh()) {
    const [standings, ignored] = await Promise.all([
      listMembershipsOf(edges.db, userId),
      listIgnoredUsers(edges, userId),
    ]);
    // A change that came in between would hide what the room said before it.
    if (standings.some(({ position }) => position > upTo)) continue;
    const joined = new Map<number, Standing>();
    for (const standing of standings)
      if (standing.membership === "join" && !standing.isForgotten)
        joined.set(standing.roomNid, standing);
    return {
      upTo,
      standings,
      joined,
      joinedNids: new Set(joined.keys()),
      ignored,
    };
  }
}
