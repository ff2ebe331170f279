import type { Sql } from "./database.ts";

export interface RendezvousRow {
  /** Another one with each payload. */
  revision: string;
  payload: Uint8Array;
  modifiedTs: number;
  expiresTs: number;
}

/** Stores a new session; false where there are as many as may be. */
export async function insertRendezvous(
  sql: Sql,
  idHash: Uint8Array,
  row: RendezvousRow,
  mostSessions: number,
): Promise<boolean> {
  const { revision, payload, modifiedTs, expiresTs } = row;
  const { count } = await sql`
    with expired as (
      delete from rendezvous_sessions where expires_ts <= ${modifiedTs}
    ), standing as (
      select count(*) as count from rendezvous_sessions where expires_ts > ${modifiedTs}
    )
    insert into rendezvous_sessions (id_hash, revision, payload, modified_ts, expires_ts)
    select ${idHash}::bytea, ${revision}, ${payload}::bytea, ${modifiedTs}::bigint, ${expiresTs}::bigint
    from standing where count < ${mostSessions}`;
  return count > 0;
}

export async function findRendezvous(
  sql: Sql,
  idHash: Uint8Array,
  nowTs: number,
): Promise<RendezvousRow | undefined> {
  const [row] = await sql<RendezvousRow[]>`
    select revision, payload, modified_ts, expires_ts from rendezvous_sessions
    where id_hash = ${idHash} and expires_ts > ${nowTs}`;
  return row;
}

/** Replaces the payload of this revision; undefined where it is another one by now, or the session is over. */
export async function updateRendezvous(
  sql: Sql,
  idHash: Uint8Array,
  known: string,
  next: Omit<RendezvousRow, "expiresTs">,
): Promise<RendezvousRow | undefined> {
  const [row] = await sql<RendezvousRow[]>`
    update rendezvous_sessions
    set revision = ${next.revision}, payload = ${next.payload}, modified_ts = ${next.modifiedTs}
    where id_hash = ${idHash} and revision = ${known} and expires_ts > ${next.modifiedTs}
    returning revision, payload, modified_ts, expires_ts`;
  return row;
}

/** False where there was none. */
export async function deleteRendezvous(
  sql: Sql,
  idHash: Uint8Array,
  nowTs: number,
): Promise<boolean> {
  const { count } = await sql`
    delete from rendezvous_sessions where id_hash = ${idHash} and expires_ts > ${nowTs}`;
  return count > 0;
}
