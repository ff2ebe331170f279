import type { Edges } from "../../edges.ts";
import {
  listFindable,
  listRoomsOfUsers,
  listSharingRooms,
} from "../../storage/user-directory.ts";
import { readMemberProfiles } from "../rooms/member-profiles.ts";
import { isOpenToAll, readRoomViews } from "./room-view.ts";
import { readUserDirectory } from "./user-directory.ts";
import { beginningsIn, type UserIndex } from "./user-index.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "settings">;

export interface FoundUser {
  user_id: string;
  display_name?: string;
  avatar_url?: string;
}

/** The most that one search finds, before it is asked whom the viewer may find. */
const MOST_CANDIDATES = 500;
const AT_ONCE = 100;
/** Of somebody who shares no room with the viewer: so many are looked at for a public one. */
const MOST_ROOMS = 100;

/**
 * People whose names or ids have words that begin like those of the term: all of this
 * server, or, where that is not allowed, those who share a room with the viewer or are
 * in a public one.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch
 */
export async function searchUsers(
  edges: Needs,
  viewer: string,
  term: string,
  limit: number,
): Promise<{ results: FoundUser[]; limited: boolean }> {
  const beginnings = beginningsOf(edges, term);
  const index = await readUserDirectory(edges);
  const candidates = index.find(beginnings, MOST_CANDIDATES);
  const found: string[] = [];
  for (
    let i = 0;
    i < candidates.length && found.length <= limit;
    i += AT_ONCE
  ) {
    const some = candidates.slice(i, i + AT_ONCE);
    const visible = await listVisible(edges, index, viewer, some);
    found.push(...some.filter((userId) => visible.has(userId)));
  }
  const shown = found.slice(0, limit);
  const profileOf = await readMemberProfiles(edges, shown);
  return {
    results: shown.map((userId) => {
      const { displayname: name, avatar_url: avatar } = profileOf(userId);
      return {
        user_id: userId,
        ...(typeof name === "string" && { display_name: name }),
        ...(typeof avatar === "string" && { avatar_url: avatar }),
      };
    }),
    limited: found.length > limit,
  };
}

/** Of a user id what stands before its server, which has to be this one. */
function beginningsOf({ settings }: Needs, term: string): string[] {
  if (!term.startsWith("@")) return beginningsIn(term);
  const [localpart = "", ...rest] = term.slice(1).split(":");
  const isOurs = settings.serverName.startsWith(rest.join(":").toLowerCase());
  return isOurs ? beginningsIn(localpart) : [];
}

async function listVisible(
  edges: Needs,
  index: UserIndex,
  viewer: string,
  candidates: readonly string[],
): Promise<Set<string>> {
  const findable = await listFindable(edges.db, candidates);
  const active = new Set(findable);
  // Their accounts have come to an end: nothing more is known of them here.
  for (const userId of candidates)
    if (!active.has(userId)) index.delete(userId);
  if (edges.settings.userDirectoryShowsAll) return active;
  const near = new Set(await listSharingRooms(edges.db, viewer, findable));
  near.add(viewer);
  const others = findable.filter((userId) => !near.has(userId));
  for (const userId of await listInPublicRooms(edges, others)) near.add(userId);
  return new Set(findable.filter((userId) => near.has(userId)));
}

/** Join rules are sealed: the rooms of all of them are opened together. */
async function listInPublicRooms(
  edges: Needs,
  userIds: readonly string[],
): Promise<string[]> {
  const rooms = await listRoomsOfUsers(edges.db, userIds, MOST_ROOMS);
  const views = await readRoomViews(
    edges,
    undefined,
    rooms.map(({ roomNid }) => roomNid),
  );
  return rooms
    .filter(({ roomNid }) => {
      const view = views.get(roomNid);
      return view !== undefined && isOpenToAll(view);
    })
    .map(({ userId }) => userId);
}
