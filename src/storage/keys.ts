import type { Sql } from "./database.ts";
import { againstHolds } from "./holds.ts";
import type { KeyName, KeyScope } from "./keyring.ts";

/** A row of `keys`: a secret wrapped under the master key of an epoch. */
export interface KeyRow {
  keyId: number;
  scope: KeyScope;
  owner: string;
  span: string;
  masterEpoch: number;
  wrapped: Uint8Array;
}

export async function listKeysByName(
  sql: Sql,
  names: readonly KeyName[],
): Promise<KeyRow[]> {
  return sql<KeyRow[]>`
    select key_id, scope, owner, span, master_epoch, wrapped from keys
    where (scope, owner, span) in (
      select * from unnest(
        ${names.map((name) => name.scope)}::text[],
        ${names.map((name) => name.owner)}::text[],
        ${names.map((name) => name.span)}::text[]))`;
}

export async function listKeysById(
  sql: Sql,
  keyIds: readonly number[],
): Promise<KeyRow[]> {
  return sql<KeyRow[]>`
    select key_id, scope, owner, span, master_epoch, wrapped from keys
    where key_id = any(${keyIds as number[]}::bigint[])`;
}

/**
 * Inserts new keys of one epoch and answers the ids of those that are new:
 * none where the epoch is no longer the current one. Rows in one order, so that
 * two processes that make the same keys do not wait for each other in a ring.
 */
export async function insertKeys(
  sql: Sql,
  epoch: number,
  rows: readonly KeyRow[],
  now: number,
): Promise<number[]> {
  const inserted = await sql<{ keyId: number }[]>`
    with current as (
      select from server_settings
      where name = 'master_epoch' and value = ${String(epoch)} for share
    )
    insert into keys (key_id, scope, owner, span, master_epoch, wrapped, created_ts)
    select key_id, scope, owner, span, ${epoch}::int, decode(wrapped, 'hex'), ${now}::bigint
    from unnest(
      ${rows.map((row) => row.keyId)}::bigint[],
      ${rows.map((row) => row.scope)}::text[],
      ${rows.map((row) => row.owner)}::text[],
      ${rows.map((row) => row.span)}::text[],
      ${rows.map(hexOf)}::text[]
    ) as made (key_id, scope, owner, span, wrapped), current
    order by scope, owner, span
    on conflict do nothing
    returning key_id`;
  return inserted.map((row) => row.keyId);
}

/**
 * Deletes keys for good and answers their ids: what they sealed opens no more. The
 * keys of words that it held go with them; what else was said there is read anew.
 */
export async function deleteKeys(
  sql: Sql,
  names: readonly KeyName[],
): Promise<number[]> {
  const deleted = await sql<{ keyId: number }[]>`
    with gone as (
      delete from keys
      where ${againstHolds(sql)} and (scope, owner, span) in (
        select * from unnest(
          ${names.map((name) => name.scope)}::text[],
          ${names.map((name) => name.owner)}::text[],
          ${names.map((name) => name.span)}::text[]))
      returning key_id, scope, owner, span
    ), words as (
      delete from keys using (
        select owner as room_id, span from gone where scope = 'room-span'
        union
        select r.room_id, g.span
        from gone g join memberships m on m.user_id = g.owner join rooms r on r.room_nid = m.room_nid
        where g.scope = 'user-span'
        union
        select g.owner, s.span
        from gone g join rooms r on r.room_id = g.owner join search_spans s on s.room_nid = r.room_nid
        where g.scope = 'room-state'
      ) held
      where keys.scope = 'room-words' and keys.owner = held.room_id
        and left(keys.span, length(held.span)) = held.span
      returning keys.key_id
    ), marked as (
      update search_spans set pending_from = 0 where key_id in (select key_id from words)
    )
    select key_id from gone union all select key_id from words`;
  return deleted.map((row) => row.keyId);
}

/** Keys that are wrapped under another epoch than this, the next `limit` of them. */
export async function listKeysOfOtherEpochs(
  sql: Sql,
  epoch: number,
  limit: number,
): Promise<KeyRow[]> {
  return sql<KeyRow[]>`
    select key_id, scope, owner, span, master_epoch, wrapped from keys
    where master_epoch <> ${epoch} order by key_id limit ${limit}`;
}

/** Replaces the wraps of keys that are still living and of the epoch that they were read in. */
export async function replaceWraps(
  sql: Sql,
  epoch: number,
  rows: readonly KeyRow[],
): Promise<void> {
  await sql`
    update keys set wrapped = decode(anew.wrapped, 'hex'), master_epoch = ${epoch}
    from unnest(
      ${rows.map((row) => row.keyId)}::bigint[],
      ${rows.map((row) => row.masterEpoch)}::int[],
      ${rows.map(hexOf)}::text[]
    ) as anew (key_id, master_epoch, wrapped)
    where keys.key_id = anew.key_id and keys.master_epoch = anew.master_epoch`;
}

/** The driver takes no arrays of bytes. */
function hexOf({ wrapped }: KeyRow): string {
  return Buffer.from(wrapped).toString("hex");
}
