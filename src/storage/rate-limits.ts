import type { Sql } from "./database.ts";

/** A token bucket: it holds `burst` tokens and fills again at `perSecond`. */
export interface Bucket {
  /** A keyed hash of whom it counts. */
  key: string;
  perSecond: number;
  burst: number;
}

/** Clocks further apart than this are set back, not different. */
const MOST_SKEW_MS = 60_000;

/**
 * Takes `cost` tokens if the bucket holds as many at `now`; a bucket without a
 * row is full. Answers what is left: after taking, or of too few.
 */
export async function takeTokens(
  sql: Sql,
  { key, perSecond, burst }: Bucket,
  cost: number,
  now: number,
): Promise<{ isTaken: boolean; tokens: number }> {
  // Clocks of machines differ by a little: time never runs backwards here. A
  // clock that was set back finds it full, or nobody would pass until it caught up.
  const ahead = now + MOST_SKEW_MS;
  const perMs = perSecond / 1000;
  const [row] = await sql<{ isTaken: boolean; tokens: number }[]>`
    with taken as (
      insert into rate_limits as held (key, tokens, updated_ts)
      values (${key}, ${burst - cost}::float8, ${now}::bigint)
      on conflict (key) do update set
        tokens = case when held.updated_ts > ${ahead}::bigint then ${burst}::float8 else least(${burst}::float8,
          held.tokens + greatest(${now}::bigint - held.updated_ts, 0) * ${perMs}::float8) end - ${cost}::float8,
        updated_ts = case when held.updated_ts > ${ahead}::bigint then ${now}::bigint
          else greatest(held.updated_ts, ${now}::bigint) end
      where held.updated_ts > ${ahead}::bigint or least(${burst}::float8,
        held.tokens + greatest(${now}::bigint - held.updated_ts, 0) * ${perMs}::float8) >= ${cost}::float8
      returning tokens
    )
    select true as is_taken, tokens from taken
    union all
    select false, least(${burst}::float8,
      tokens + greatest(${now}::bigint - updated_ts, 0) * ${perMs}::float8)
    from rate_limits where key = ${key} and not exists (select from taken)`;
  // Without a row: another process made the bucket, and emptied it, just now.
  return row ?? { isTaken: false, tokens: 0 };
}

/** Takes `cost` tokens whether or not they are there; a bucket owes no more than it can hold. */
export async function chargeTokens(
  sql: Sql,
  { key, perSecond, burst }: Bucket,
  cost: number,
  now: number,
): Promise<number> {
  const ahead = now + MOST_SKEW_MS;
  const perMs = perSecond / 1000;
  const [row] = await sql<[{ tokens: number }]>`
    insert into rate_limits as held (key, tokens, updated_ts)
    values (${key}, greatest(-${burst}::float8, ${burst - cost}::float8), ${now}::bigint)
    on conflict (key) do update set
      tokens = greatest(-${burst}::float8, case when held.updated_ts > ${ahead}::bigint then ${burst}::float8
        else least(${burst}::float8,
          held.tokens + greatest(${now}::bigint - held.updated_ts, 0) * ${perMs}::float8) end - ${cost}::float8),
      updated_ts = case when held.updated_ts > ${ahead}::bigint then ${now}::bigint
        else greatest(held.updated_ts, ${now}::bigint) end
    returning tokens`;
  return row.tokens;
}

/** Forgets buckets that nobody took from since, by then they are full; counts of failures stay. */
export async function deleteBuckets(sql: Sql, before: number): Promise<void> {
  await sql`delete from rate_limits where updated_ts < ${before} and not starts_with(key, 'failures ')`;
}

export async function deleteBucket(sql: Sql, key: string): Promise<void> {
  await sql`delete from rate_limits where key = ${key}`;
}
