import type { Edges } from "../../edges.ts";
import {
  listMediaStatistics,
  listRoomSizes,
  type MediaStatisticsRow,
  type MediaStatisticsSearch,
  type RoomSizeRow,
  type RoomSizeSearch,
} from "../../storage/statistics.ts";
import { readMemberProfiles } from "../rooms/member-profiles.ts";
import { textIn } from "./users/account.ts";
import { namesFor } from "./users/list-accounts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

export type { RoomSizeRow };

export type MediaOfUser = MediaStatisticsRow & { displayName: string | null };

/** Who has uploaded how much. */
export async function readMediaStatistics(
  edges: Needs,
  wanted: Omit<MediaStatisticsSearch, "named" | "byName">,
): Promise<{ users: MediaOfUser[]; total: number }> {
  const isOrderedByName = wanted.orderBy === "displayname";
  const names = await namesFor(edges, wanted.term, isOrderedByName);
  const search = { ...wanted, ...names };
  const { users, total } = await listMediaStatistics(edges.db, search);
  const profileOf = await readMemberProfiles(
    edges,
    users.map(({ userId }) => userId),
  );
  return {
    total,
    users: users.map((row) => ({
      ...row,
      displayName: textIn(profileOf(row.userId)["displayname"]),
    })),
  };
}

const LARGEST = 10;

/** The ten largest rooms. */
export async function readLargestRooms({
  db,
}: Pick<Edges, "db">): Promise<RoomSizeRow[]> {
  const { rooms } = await listRoomSizes(db, {
    ...{ orderBy: "estimated_size", isDescending: true },
    ...{ limit: LARGEST, offset: 0 },
  });
  return rooms;
}

/** How large rooms are: a page of them, and how many there are in all. */
export const searchRoomSizes = (
  { db }: Pick<Edges, "db">,
  search: RoomSizeSearch,
): Promise<{ rooms: RoomSizeRow[]; total: number }> =>
  listRoomSizes(db, search);
