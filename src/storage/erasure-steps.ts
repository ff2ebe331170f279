import type { JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";
import type { PersonalPlace } from "./personal-rows.ts";

/**
 * What became of a step: done, done in part, kept from it by a hold, or another one has
 * the task.
 */
export type EraseVerdict = "go" | "more" | "held" | "lost";

/** Destroys the keys of a user, in every process; what they sealed opens no more. */
export async function eraseKeys(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  userId: string,
): Promise<EraseVerdict> {
  const [row] = await sql<{ verdict: EraseVerdict }[]>`
    select erase_keys(${jobId}, ${holder}, ${generation}, ${userId}) as verdict`;
  return row!.verdict;
}

/** Destroys the contents of events, with their words and what was notified of them. */
export async function eraseEvents(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  userId: string,
  nids: readonly number[],
): Promise<EraseVerdict> {
  const [row] = await sql<{ verdict: EraseVerdict }[]>`
    select erase_events(
      ${jobId}, ${holder}, ${generation}, ${userId}, ${nids as number[]}::bigint[]) as verdict`;
  return row!.verdict;
}

/** Deletes the next media of a user; answers their blobs, "" for one that has none. */
export async function eraseMedia(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  userId: string,
  limit: number,
): Promise<{ verdict: EraseVerdict; blobs: string[] }> {
  const [row] = await sql<{ verdict: EraseVerdict; blobs: string[] }[]>`
    select verdict, blobs from erase_media(${jobId}, ${holder}, ${generation}, ${userId}, ${limit})`;
  return row!;
}

/** Deletes the next rows of a table that name a user. */
export async function eraseRows(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  userId: string,
  { table, of, isByRoom }: PersonalPlace,
  limit: number,
): Promise<{ verdict: EraseVerdict; count: number }> {
  const [row] = await sql<{ verdict: EraseVerdict; count: number }[]>`
    select verdict, count from erase_rows(
      ${jobId}, ${holder}, ${generation}, ${userId}, ${table}, ${of}, ${isByRoom}, ${limit})`;
  return row!;
}
