import type { Sql } from "./database.ts";
import { deleteOldRows } from "./delete-old-rows.ts";
import type { Lease } from "./leases.ts";

const hexOf = (key: Uint8Array): string =>
  `\\x${Buffer.from(key).toString("hex")}`;

/** The answers of transactions that were committed, by their key in base64. */
export async function listIdempotencyAnswers(
  sql: Sql,
  keys: readonly Uint8Array[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const rows = await sql<{ key: Uint8Array; answer: string }[]>`
    select key, answer from idempotency where key = any(${keys.map(hexOf)}::text[]::bytea[])`;
  return new Map(
    rows.map(({ key, answer }) => [
      Buffer.from(key).toString("base64"),
      answer,
    ]),
  );
}

export async function findIdempotencyAnswer(
  sql: Sql,
  key: Uint8Array,
): Promise<string | undefined> {
  const [row] = await sql<{ answer: string }[]>`
    select answer from idempotency where key = ${Buffer.from(key)}`;
  return row?.answer;
}

/** Takes a key, or finds who took it: answers what is known by it from now on. */
export async function claimKey(
  sql: Sql,
  key: Uint8Array,
  answer: string,
  nowTs: number,
): Promise<string> {
  const [taken] = await sql<{ answer: string }[]>`
    insert into idempotency (key, answer, created_ts) values (${Buffer.from(key)}, ${answer}, ${nowTs})
    on conflict do nothing returning answer`;
  return taken?.answer ?? (await findIdempotencyAnswer(sql, key)) ?? answer;
}

/** Deletes at most `limit` answers that are older than `ageMs`, by the database's time. */
export const deleteOldAnswers = (
  sql: Sql,
  lease: Lease,
  ageMs: number,
  limit: number,
): Promise<number> =>
  deleteOldRows(
    sql,
    lease,
    { table: "idempotency", time: "created_ts" },
    ageMs,
    limit,
  );
