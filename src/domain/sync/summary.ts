import type { Edges } from "../../edges.ts";
import { listHeroes, listMemberCounts } from "../../storage/sync-changes.ts";

export interface RoomSummary {
  "m.heroes": string[];
  "m.joined_member_count": number;
  "m.invited_member_count": number;
}

/** Counts and heroes of rooms, in two queries. */
export async function readSummaries(
  { db }: Pick<Edges, "db">,
  roomNids: readonly number[],
  userId: string,
): Promise<Map<number, RoomSummary>> {
  if (roomNids.length === 0) return new Map();
  const summaries = new Map<number, RoomSummary>(
    roomNids.map((roomNid) => [
      roomNid,
      {
        "m.heroes": [],
        "m.joined_member_count": 0,
        "m.invited_member_count": 0,
      },
    ]),
  );
  for (const { roomNid, joined, invited } of await listMemberCounts(
    db,
    roomNids,
  )) {
    const summary = summaries.get(roomNid)!;
    summary["m.joined_member_count"] = joined;
    summary["m.invited_member_count"] = invited;
  }
  for (const hero of await listHeroes(db, roomNids, userId)) {
    summaries.get(hero.roomNid)!["m.heroes"].push(hero.userId);
  }
  return summaries;
}
