import type { Edges } from "../../edges.ts";
import {
  listLargestRooms,
  listMediaStatistics,
  type MediaStatisticsRow,
  type MediaStatisticsSearch,
  type RoomSizeRow,
} from "../../storage/statistics.ts";
import { readMemberProfiles } from "../rooms/member-profiles.ts";
import { textIn } from "./users/account.ts";
import { namesFor } from "./users/list-accounts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

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

export const readLargestRooms = ({
  db,
}: Pick<Edges, "db">): Promise<RoomSizeRow[]> => listLargestRooms(db, LARGEST);
