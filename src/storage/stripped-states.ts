import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export async function listStrippedStates(
  sql: Sql,
  userId: string,
  roomNids: readonly number[],
): Promise<({ roomNid: number } & Sealed)[]> {
  if (roomNids.length === 0) return [];
  return sql<({ roomNid: number } & Sealed)[]>`
    select room_nid, key_id, sealed from stripped_states
    where user_id = ${userId} and room_nid = any(${roomNids as number[]}::bigint[])`;
}
