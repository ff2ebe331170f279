import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type PusherPageRow = {
  pusherId: number;
  userId: string;
  keyHash: Uint8Array;
} & Sealed;

/** The next pushers of gateways, by their numbers. */
export const listGatewayPushers = (
  sql: Sql,
  after: number,
  limit: number,
): Promise<PusherPageRow[]> => sql<PusherPageRow[]>`
  select pusher_id, user_id, key_hash, key_id, sealed from pushers
  where pusher_id > ${after} and kind = 'http' order by pusher_id limit ${limit}`;

export interface EgressCounts {
  mailPushers: number;
  mediaBytes: number;
  records: number;
  pages: number;
}

/** How much there is for each, up to as many as are worth counting. */
export async function countEgress(
  sql: Sql,
  most: number,
): Promise<EgressCounts> {
  const [row] = await sql<EgressCounts[]>`
    select
      (select count(*) from (select from pushers where kind = 'email' limit ${most}) p) as mail_pushers,
      (select coalesce(sum(bytes), 0)::bigint from media_usage) as media_bytes,
      (select coalesce(max(seq), 0) from audit_log) as records,
      (select count(*) from (select from url_previews limit ${most}) u) as pages`;
  return row!;
}
