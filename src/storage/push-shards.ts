import type { Sql } from "./database.ts";

/** Of pushers; each is pushed for by the one process that holds it. */
export const PUSH_SHARDS = 16;

/** A shard that this process holds. Whoever takes it after us raises its generation. */
export interface PushShard {
  shard: number;
  generation: number;
  /** All up to here has been queued. */
  position: number;
}

/**
 * Holds on to what a process has of the shards, up to its share of them among all
 * processes that push, lets go of the rest, takes what is free, and keeps how far each
 * was read. Answers what it holds then. Times are the database's.
 */
export async function keepShards(
  sql: Sql,
  holder: string,
  read: readonly PushShard[],
  forMs: number,
): Promise<PushShard[]> {
  return sql<PushShard[]>`
    with clock as materialized (
      select clock_timestamp() as now, clock_timestamp() + ${forMs} * interval '1 millisecond' as until
    ), present as (
      insert into push_processes (holder, expires_ts) select ${holder}::uuid, until from clock
      on conflict (holder) do update set expires_ts = excluded.expires_ts
    ), gone as (
      delete from push_processes using clock where expires_ts <= now and holder <> ${holder}::uuid
    ), share as materialized (
      select ((${PUSH_SHARDS}::int + count(*)) / (1 + count(*)))::int as most
      from push_processes, clock where expires_ts > now and holder <> ${holder}::uuid
    ), held as materialized (
      select s.shard, s.generation, row_number() over (order by s.shard) as nth
      from push_shards s, clock where s.holder = ${holder}::uuid and s.expires_ts > now
    ), free as materialized (
      select s.shard from push_shards s, clock where s.expires_ts <= now
      order by s.shard
      limit (select greatest(0, most - (select count(*) from held)) from share)
      for update of s skip locked
    ), kept as (
      update push_shards s set
        expires_ts = case when held.nth <= share.most then clock.until else clock.now end,
        position = greatest(s.position, r.position)
      from held left join unnest(
        ${read.map(({ shard }) => shard)}::smallint[], ${read.map(({ generation }) => generation)}::bigint[],
        ${read.map(({ position }) => position)}::bigint[]) as r(shard, generation, position)
        on r.shard = held.shard and r.generation = held.generation,
        share, clock
      where s.shard = held.shard and s.holder = ${holder}::uuid and s.generation = held.generation
      returning s.shard, s.generation, s.position, held.nth <= share.most as is_kept
    ), taken as (
      update push_shards s set holder = ${holder}::uuid, generation = s.generation + 1, expires_ts = clock.until
      from free, clock where s.shard = free.shard
      returning s.shard, s.generation, s.position
    )
    select shard, generation, position from kept where is_kept
    union all select shard, generation, position from taken
    order by shard`;
}

/** Lets go of all that a process holds, for the others to take at once. */
export async function releaseShards(
  sql: Sql,
  holder: string,
  read: readonly PushShard[],
): Promise<void> {
  await sql`
    with gone as (delete from push_processes where holder = ${holder}::uuid)
    update push_shards s set expires_ts = clock_timestamp(), position = greatest(s.position, r.position)
    from unnest(
      ${read.map(({ shard }) => shard)}::smallint[], ${read.map(({ generation }) => generation)}::bigint[],
      ${read.map(({ position }) => position)}::bigint[]) as r(shard, generation, position)
    where s.shard = r.shard and s.holder = ${holder}::uuid and s.generation = r.generation
      and s.expires_ts > clock_timestamp()`;
}

/**
 * For the writes of a process that pushes: a row for each of the shards that it still
 * holds, as `heldLease` is for jobs.
 */
export const heldShards = (
  sql: Sql,
  holder: string,
  shards: readonly PushShard[],
) => sql`
  select s.shard from push_shards s
  join unnest(
    ${shards.map(({ shard }) => shard)}::smallint[],
    ${shards.map(({ generation }) => generation)}::bigint[]) as h(shard, generation)
    on s.shard = h.shard and s.generation = h.generation
  where s.holder = ${holder}::uuid and s.expires_ts > clock_timestamp()
  for share of s`;
