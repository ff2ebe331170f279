import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";
import type { Sealed } from "./write.ts";

export type KeyBackupRow = {
  version: number;
  algorithm: string;
  etag: number;
  keyCount: number;
} & Sealed;

/** A user's backup of this version, or the newest one. */
export async function findKeyBackup(
  sql: Sql,
  userId: string,
  version?: number,
): Promise<KeyBackupRow | undefined> {
  const [row] = await sql<KeyBackupRow[]>`
    select version, algorithm, key_id, sealed, etag, key_count from key_backups
    where user_id = ${userId} and not is_deleted
      ${version === undefined ? sql`` : sql`and version = ${version}`}
    order by version desc limit 1`;
  return row;
}

/** The last version that was given out to a user, also if it is deleted; 0 for none. */
export async function findLastBackupVersion(
  sql: Sql,
  userId: string,
): Promise<number> {
  const [row] = await sql<{ version: number }[]>`
    select version from key_backups where user_id = ${userId} order by version desc limit 1`;
  return row?.version ?? 0;
}

/** `taken` where another one has this version, or a later one, by now. */
export async function insertKeyBackup(
  sql: Sql,
  row: { userId: string; version: number; algorithm: string } & Sealed,
  mostBackups: number,
): Promise<"inserted" | "taken" | "full"> {
  const { userId, version, algorithm, keyId, sealed } = row;
  const [outcome] = await sql<{ isFull: boolean; isInserted: boolean }[]>`
    with standing as materialized (
      select count(*) filter (where not is_deleted) >= ${mostBackups} as is_full, max(version) as last_version
      from key_backups where user_id = ${userId}
    ), inserted as (
      insert into key_backups (user_id, version, algorithm, key_id, sealed)
      select ${userId}, ${version}::bigint, ${algorithm}, ${keyId}::bigint, ${sealed}::bytea from standing
      where not is_full and coalesce(last_version, 0) < ${version}::bigint
      on conflict do nothing returning version
    )
    select is_full, exists (select from inserted) as is_inserted from standing`;
  if (outcome!.isFull) return "full";
  return outcome!.isInserted ? "inserted" : "taken";
}

/** Replaces what a backup says of its key; false where there is none. */
export async function updateKeyBackup(
  sql: Sql,
  userId: string,
  version: number,
  { keyId, sealed }: Sealed,
): Promise<boolean> {
  const { count } = await sql`
    update key_backups set key_id = ${keyId}, sealed = ${sealed}
    where user_id = ${userId} and version = ${version} and not is_deleted`;
  return count > 0;
}

/** Nobody sees it any more; its keys are deleted later. False where there is none. */
export async function deleteKeyBackup(
  sql: Sql,
  userId: string,
  version: number,
): Promise<boolean> {
  const { count } = await sql`
    update key_backups set is_deleted = true, key_id = 0, sealed = ''
    where user_id = ${userId} and version = ${version} and not is_deleted`;
  return count > 0;
}

export async function deleteAllKeyBackups(
  sql: Sql,
  userId: string,
): Promise<void> {
  await sql`
    update key_backups set is_deleted = true, key_id = 0, sealed = ''
    where user_id = ${userId} and not is_deleted`;
}

/** Of deleted backups, deletes at most so many keys, and those that nobody has to know of any more. */
export async function purgeKeyBackups(
  sql: Sql,
  lease: Lease,
  limit: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with held as (${heldLease(sql, lease)}), doomed as (
      select k.user_id, k.version, k.room_id, k.session_id
      from key_backups b join backed_up_keys k using (user_id, version)
      where exists (select from held) and b.is_deleted limit ${limit}
    ), gone as (
      delete from backed_up_keys k using doomed d
      where (k.user_id, k.version, k.room_id, k.session_id) = (d.user_id, d.version, d.room_id, d.session_id)
      returning k.user_id, k.version, octet_length(k.sealed) as bytes
    ), counted as (
      update key_backups b set key_count = b.key_count - g.keys, key_bytes = b.key_bytes - g.bytes
      from (select user_id, version, count(*) as keys, sum(bytes) as bytes from gone group by 1, 2) g
      where (b.user_id, b.version) = (g.user_id, g.version)
    ), superseded as (
      delete from key_backups b
      where exists (select from held) and b.is_deleted
        and not exists (select from backed_up_keys k where k.user_id = b.user_id and k.version = b.version)
        and (exists (select from key_backups later where later.user_id = b.user_id and later.version > b.version)
          or exists (select from users u where u.user_id = b.user_id and u.is_deactivated))
    )
    select count(*) as count from gone`;
  return row!.count;
}
