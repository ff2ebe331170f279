import type { Sql } from "./database.ts";
import type { Span } from "./span.ts";

/** When a user was in a room: from the join to what ended it, null while it lasts. */
export interface Stay {
  roomNid: number;
  joinedPosition: number;
  leftPosition: number | null;
}

/** A user's stays that some of the span lies in, or that hold at its start. */
export async function listStays(
  sql: Sql,
  userId: string,
  { after, upTo }: Span,
): Promise<Stay[]> {
  return sql<Stay[]>`
    select room_nid, joined_position, left_position from stays
    where user_id = ${userId} and joined_position <= ${upTo}
      and (left_position is null or left_position > ${after})`;
}

/** A row where the user shared a room, at the position, with whom the query around it calls `told`. */
const sharedAt = (sql: Sql, userId: string, position: number) => sql`
  select from stays theirs join stays mine on mine.room_nid = theirs.room_nid
  where theirs.user_id = told.user_id and theirs.joined_position <= ${position}
    and (theirs.left_position is null or theirs.left_position > ${position})
    and mine.user_id = ${userId} and mine.joined_position <= ${position}
    and (mine.left_position is null or mine.left_position > ${position})`;

/** Whose keys changed in the span: the user's own, and of those who share a room at its end. */
export async function listChangedDeviceLists(
  sql: Sql,
  userId: string,
  { after, upTo }: Span,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select distinct told.user_id from device_list_changes told
    where told.position > ${after} and told.position <= ${upTo}
      and (told.viewer = ${userId} or (told.viewer = ''
        and (told.user_id = ${userId} or exists (${sharedAt(sql, userId, upTo)}))))`;
  return rows.map((row) => row.userId);
}

/**
 * Who shares a room at the span's end, and shared none at its start.
 * @param joined rooms that the user came into
 * @param kept rooms that the user was in at both ends, and that somebody may have come into
 */
export async function listNewlySharing(
  sql: Sql,
  userId: string,
  { joined, kept }: { joined: readonly number[]; kept: readonly number[] },
  { after, upTo }: Span,
): Promise<string[]> {
  if (joined.length === 0 && kept.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select told.user_id from (
      select user_id from stays
      where room_nid = any(${joined as number[]}::bigint[]) and joined_position <= ${upTo}
        and (left_position is null or left_position > ${upTo})
      union
      select user_id from stays
      where room_nid = any(${kept as number[]}::bigint[]) and joined_position > ${after} and joined_position <= ${upTo}
        and (left_position is null or left_position > ${upTo})
    ) told
    where told.user_id <> ${userId} and not exists (${sharedAt(sql, userId, after)})`;
  return rows.map((row) => row.userId);
}

/**
 * Who shared a room at the span's start, and shares none at its end.
 * @param left rooms that the user went out of
 * @param kept rooms that the user was in at both ends, and that somebody may have left
 */
export async function listNoLongerSharing(
  sql: Sql,
  userId: string,
  { left, kept }: { left: readonly number[]; kept: readonly number[] },
  { after, upTo }: Span,
): Promise<string[]> {
  if (left.length === 0 && kept.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select told.user_id from (
      select user_id from stays
      where room_nid = any(${left as number[]}::bigint[]) and joined_position <= ${after}
        and (left_position is null or left_position > ${after})
      union
      select user_id from stays
      where room_nid = any(${kept as number[]}::bigint[]) and joined_position <= ${after}
        and left_position > ${after} and left_position <= ${upTo}
    ) told
    where told.user_id <> ${userId} and not exists (${sharedAt(sql, userId, upTo)})`;
  return rows.map((row) => row.userId);
}
