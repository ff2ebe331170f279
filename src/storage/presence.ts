import type { Sql } from "./database.ts";
import type { PresenceRow } from "./sync-extras.ts";
import type { Sealed } from "./write.ts";

export async function findPresence(
  sql: Sql,
  userId: string,
): Promise<(PresenceRow & { deviceId: string }) | undefined> {
  const [row] = await sql<(PresenceRow & { deviceId: string })[]>`
    select user_id, device_id, state, status_key, status_sealed, last_active_ts, mark
    from presence where user_id = ${userId}`;
  return row;
}

/**
 * Sets a user's presence. Answers its new mark, or undefined where only the
 * time changed. A status that is left out stays as it is.
 */
export async function setPresence(
  sql: Sql,
  row: {
    userId: string;
    deviceId: string;
    state: string;
    lastActiveTs: number;
    status?: Sealed | null;
  },
): Promise<number | undefined> {
  const { status } = row;
  if (status === undefined && (await prolongPresence(sql, row)))
    return undefined;
  const [stored] = await sql<{ mark: number; isNew: boolean }[]>`
    with next as materialized (select next_ephemeral_mark() as mark)
    insert into presence as held (user_id, device_id, state, status_key, status_sealed, last_active_ts, mark)
    select ${row.userId}, ${row.deviceId}, ${row.state}, ${status?.keyId ?? 0}, ${status?.sealed ?? null}, ${row.lastActiveTs}, mark
    from next
    on conflict (user_id) do update set
      state = excluded.state, device_id = excluded.device_id, last_active_ts = excluded.last_active_ts,
      ${status === undefined ? sql`` : sql`status_key = excluded.status_key, status_sealed = excluded.status_sealed,`}
      mark = case when held.state = excluded.state and ${status === undefined} then held.mark else excluded.mark end
    returning mark, mark = (select mark from next) as is_new`;
  return stored?.isNew ? stored.mark : undefined;
}

/** Tells of a user's presence again, as it is; answers its new mark. */
export async function repeatPresence(
  sql: Sql,
  userId: string,
  nowTs: number,
): Promise<number> {
  const [row] = await sql<{ mark: number }[]>`
    with next as materialized (select next_ephemeral_mark() as mark)
    insert into presence (user_id, state, status_key, last_active_ts, mark)
    select ${userId}, 'offline', 0, ${nowTs}, mark from next
    on conflict (user_id) do update set mark = excluded.mark
    returning mark`;
  return row!.mark;
}

/** A state that stays takes no mark: who follows the marks would look for its news. */
async function prolongPresence(
  sql: Sql,
  row: {
    userId: string;
    deviceId: string;
    state: string;
    lastActiveTs: number;
  },
): Promise<boolean> {
  const rows = await sql`
    update presence set last_active_ts = ${row.lastActiveTs}, device_id = ${row.deviceId}
    where user_id = ${row.userId} and state = ${row.state} returning user_id`;
  return rows.length > 0;
}

/** Users who were last active before `before` are offline from now on; a bounded number at a time. */
export async function endPresence(
  sql: Sql,
  before: number,
): Promise<{ userId: string; mark: number }[]> {
  return sql<{ userId: string; mark: number }[]>`
    with next as materialized (
      select next_ephemeral_mark() as mark
      where exists (select from presence where state <> 'offline' and last_active_ts < ${before})
    )
    update presence set state = 'offline', mark = next.mark from next
    where user_id in (
      select user_id from presence
      where (select mark from next) is not null and state <> 'offline' and last_active_ts < ${before}
      limit 500 for update skip locked)
    returning user_id, next.mark`;
}

export async function deletePresence(sql: Sql, userId: string): Promise<void> {
  await sql`delete from presence where user_id = ${userId}`;
}

/** The rooms that these users are in. */
export async function listRoomsOfUsers(
  sql: Sql,
  userIds: readonly string[],
): Promise<number[]> {
  const rows = await sql<{ roomNid: number }[]>`
    select distinct room_nid from memberships
    where user_id = any(${userIds as string[]}::text[]) and membership = 'join'`;
  return rows.map(({ roomNid }) => roomNid);
}

/** Whether two users are in one room. */
export async function isRoomShared(
  sql: Sql,
  userId: string,
  otherId: string,
): Promise<boolean> {
  const rows = await sql`
    select from memberships mine join memberships theirs using (room_nid)
    where mine.user_id = ${userId} and mine.membership = 'join'
      and theirs.user_id = ${otherId} and theirs.membership = 'join' limit 1`;
  return rows.length > 0;
}
