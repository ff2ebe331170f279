import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type ExternalIdRow = {
  provider: string;
  subjectHash: Uint8Array;
} & Sealed;

export function listExternalIds(
  sql: Sql,
  userId: string,
): Promise<ExternalIdRow[]> {
  return sql<ExternalIdRow[]>`
    select provider, subject_hash, key_id, sealed from external_ids
    where user_id = ${userId} order by created_ts, provider, subject_hash`;
}

/** Whose subject of an identity provider it is. */
export async function findOwnerOfSubject(
  sql: Sql,
  provider: string,
  subjectHash: Uint8Array,
): Promise<string | undefined> {
  const [row] = await sql<{ userId: string }[]>`
    select user_id from external_ids where provider = ${provider} and subject_hash = ${subjectHash}`;
  return row?.userId;
}
