import type { Sql } from "./database.ts";
import { deleteOldRows } from "./delete-old-rows.ts";
import type { Lease } from "./leases.ts";
import type { Sealed } from "./write.ts";

/** An event that is to be sent later; type and state key as stored: JSON-escaped. */
export interface DelayedEventRow extends Sealed {
  delayKey: Uint8Array;
  userId: string;
  roomId: string;
  type: string;
  stateKey: string | null;
  delayMs: number;
  runningSince: number;
  finalisedTs: number | null;
  outcome: DelayOutcome | null;
  eventId: string | null;
  /** A standard error as JSON. */
  error: string | null;
}

/** Sent, cancelled by somebody, or cancelled because it could not be sent. */
export type DelayOutcome = "send" | "cancel" | "error";

/** All times are the database's: those of processes may differ. */
const now = (sql: Sql) =>
  sql`(extract(epoch from statement_timestamp()) * 1000)::bigint`;

const columns = (sql: Sql) => sql`
  delay_key, user_id, room_id, type, state_key, delay_ms, running_since, key_id, sealed,
  finalised_ts, outcome, event_id, error`;

const bytes = (key: Uint8Array): Buffer => Buffer.from(key);

/** False where the transaction is known already, or the user has `most` of them waiting. */
export async function insertDelayedEvent(
  sql: Sql,
  row: Pick<
    DelayedEventRow,
    | "delayKey"
    | "userId"
    | "roomId"
    | "type"
    | "stateKey"
    | "delayMs"
    | "keyId"
    | "sealed"
  > & { txnKey: Uint8Array | null },
  most: number,
): Promise<boolean> {
  const { count } = await sql`
    insert into delayed_events
      (delay_key, user_id, txn_key, room_id, type, state_key, delay_ms, running_since, send_ts, key_id, sealed)
    select ${bytes(row.delayKey)}::bytea, ${row.userId}, ${row.txnKey && bytes(row.txnKey)}::bytea, ${row.roomId},
      ${row.type}, ${row.stateKey}, ${row.delayMs}::bigint, n.ts, n.ts + ${row.delayMs}::bigint,
      ${row.keyId}::bigint, ${bytes(row.sealed)}::bytea
    from (select ${now(sql)} as ts) n
    where (select count(*) from delayed_events
      where user_id = ${row.userId} and finalised_ts is null) < ${most}
    on conflict do nothing`;
  return count > 0;
}

export async function findDelayedEvent(
  sql: Sql,
  delayKey: Uint8Array,
): Promise<DelayedEventRow | undefined> {
  const [row] = await sql<DelayedEventRow[]>`
    select ${columns(sql)} from delayed_events where delay_key = ${bytes(delayKey)}`;
  return row;
}

export async function findDelayedEventByTxn(
  sql: Sql,
  txnKey: Uint8Array,
): Promise<DelayedEventRow | undefined> {
  const [row] = await sql<DelayedEventRow[]>`
    select ${columns(sql)} from delayed_events where txn_key = ${bytes(txnKey)}`;
  return row;
}

/** A user's events that wait, the next one first, or those that do not any more, the last one first. */
export async function listDelayedEvents(
  sql: Sql,
  userId: string,
  { isFinalised, limit }: { isFinalised: boolean; limit: number },
): Promise<DelayedEventRow[]> {
  return sql<DelayedEventRow[]>`
    select ${columns(sql)} from delayed_events
    where user_id = ${userId}
      and ${isFinalised ? sql`finalised_ts is not null` : sql`finalised_ts is null`}
    order by ${isFinalised ? sql`finalised_ts desc` : sql`send_ts`} limit ${limit}`;
}

/** Events that are due and that no process is at, earliest first; they are the caller's for so long. */
export async function claimDueEvents(
  sql: Sql,
  forMs: number,
  limit: number,
): Promise<DelayedEventRow[]> {
  return sql<DelayedEventRow[]>`
    with due as (
      select delay_key from delayed_events
      where finalised_ts is null and send_ts <= ${now(sql)} and claimed_until <= ${now(sql)}
      order by send_ts limit ${limit} for update skip locked
    ), claimed as (
      update delayed_events d set claimed_until = ${now(sql)} + ${forMs}::bigint
      from due where d.delay_key = due.delay_key and d.finalised_ts is null
      returning d.*
    )
    select ${columns(sql)} from claimed order by send_ts`;
}

/** In how many milliseconds the next event is due that no process is at; undefined: there is none. */
export async function findNextDue(
  sql: Sql,
  userId?: string,
): Promise<number | undefined> {
  const [row] = await sql<{ inMs: number | null }[]>`
    select send_ts - ${now(sql)} as in_ms from delayed_events
    where finalised_ts is null and claimed_until <= ${now(sql)} ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
    order by send_ts limit 1`;
  return row?.inMs ?? undefined;
}

/** Its time begins anew; false where it waits no more, or is being sent. */
export async function restartDelayedEvent(
  sql: Sql,
  delayKey: Uint8Array,
): Promise<boolean> {
  const { count } = await sql`
    update delayed_events set running_since = ${now(sql)}, send_ts = ${now(sql)} + delay_ms
    where delay_key = ${bytes(delayKey)} and finalised_ts is null and claimed_until <= ${now(sql)}`;
  return count > 0;
}

/** Notes what became of it; what was noted before stays. */
export async function finaliseDelayedEvent(
  sql: Sql,
  delayKey: Uint8Array,
  end: { outcome: DelayOutcome; eventId?: string; error?: string },
): Promise<void> {
  await sql`
    update delayed_events set finalised_ts = ${now(sql)}, outcome = ${end.outcome},
      event_id = ${end.eventId ?? null}, error = ${end.error ?? null}
    where delay_key = ${bytes(delayKey)} and finalised_ts is null`;
}

/** Forgets at most `limit` events that ended so long ago. */
export const deleteEndedEvents = (
  sql: Sql,
  lease: Lease,
  ageMs: number,
  limit: number,
): Promise<number> =>
  deleteOldRows(
    sql,
    lease,
    { table: "delayed_events", time: "finalised_ts" },
    ageMs,
    limit,
  );
