import type { Sql } from "./database.ts";

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
