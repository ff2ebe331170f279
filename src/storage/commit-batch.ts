import type { BatchArguments } from "./committer-payload.ts";
import type { Sql } from "./database.ts";
import type { CommitResult, ExtremityRow } from "./write.ts";

/** What `commit_batch` answers. */
export interface BatchAnswer {
  /** The head of the stream before and after it. */
  base: number;
  head: number;
  /** Per write why it was lost; null for a winner. */
  lost: readonly (CommitResult | null)[];
  /** Per write, by its number `w`; absent where the answer was lost. */
  beside?: readonly ({ w: number } & ExtremityRow)[];
  /** How long it waited for batches of other processes. */
  waitedMs?: number;
  rooms: number[];
  users: string[];
}

/** One round trip and one transaction; resolves after COMMIT. */
export async function callCommitBatch(
  sql: Sql,
  batchId: string,
  now: number,
  args: BatchArguments,
): Promise<BatchAnswer> {
  const [row] = await sql<{ answer: Omit<BatchAnswer, "rooms" | "users"> }[]>`
    select commit_batch(
      ${batchId}::uuid, ${now}::bigint, ${args.positions}::int[], ${args.events}::text::jsonb,
      ${args.skeletons}::text[], ${args.firstKeys}::bigint[], ${args.secondKeys}::bigint[],
      ${args.sealed}::text[]::bytea[], ${args.rows}::text::jsonb, ${args.rooms}::bigint[],
      ${args.users}::text[]) as answer`;
  return { ...row!.answer, rooms: args.rooms, users: args.users };
}

interface BatchRow {
  lastPosition: number | null;
  lost: (CommitResult | null)[] | null;
  rooms: number[];
  users: string[];
}

/**
 * Settles a batch whose outcome was lost: what it answered if it was
 * committed, else undefined, and then it never can be.
 */
export async function settleBatch(
  sql: Sql,
  batchId: string,
  now: number,
  positions: readonly number[],
): Promise<BatchAnswer | undefined> {
  // Waits for the lost call if that still runs.
  await sql`
    insert into batches (batch_id, committed_ts) values (${batchId}, ${now}) on conflict do nothing`;
  const [row] = await sql<BatchRow[]>`
    select last_position, lost, room_nids as rooms, user_ids as users from batches
    where batch_id = ${batchId} and (last_position is not null or lost is not null)`;
  if (!row) return undefined;
  const lost = row.lost ?? positions.map(() => null);
  const taken = positions.reduce(
    (sum, count, i) => (lost[i] === null ? sum + count : sum),
    0,
  );
  const head = row.lastPosition ?? 0;
  return {
    base: head - taken,
    head,
    lost,
    rooms: row.rooms,
    users: row.users,
  };
}

/** The result of each write of a batch, in their order. */
export function toResults(
  { base, head, lost, beside }: BatchAnswer,
  positions: readonly number[],
): CommitResult[] {
  let last = base;
  return positions.map((count, i) => {
    const loss = lost[i];
    if (loss) return loss;
    const firstPosition = last + 1;
    last += count;
    return {
      status: "committed",
      firstPosition,
      lastPosition: last,
      upTo: head,
      ...(beside && { beside: beside.filter(({ w }) => w === i) }),
    };
  });
}
