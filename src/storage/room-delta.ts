import type { Sql } from "./database.ts";
import type { ReceiptRow } from "./sync-extras.ts";

/** What besides its events happened in a room in (after, upTo]. */
export interface DeltaFacts {
  roomNid: number;
  hasStateChanges: boolean;
  hasReceipts: boolean;
  /** Events that count as unread by the default rules. */
  countable: number;
  /** Who has rows of notifications there; '' stands for everybody. */
  notified: string[];
}

export async function listDeltaFacts(
  sql: Sql,
  roomNids: readonly number[],
  after: number,
  upTo: number,
): Promise<DeltaFacts[]> {
  return sql<DeltaFacts[]>`
    select r.room_nid,
      exists (select from state_changes s
        where s.room_nid = r.room_nid and s.position > ${after} and s.position <= ${upTo}) as has_state_changes,
      exists (select from receipts x
        where x.room_nid = r.room_nid and x.position > ${after} and x.position <= ${upTo}) as has_receipts,
      (select count(*) from events e
        where e.room_nid = r.room_nid and e.position > ${after} and e.position <= ${upTo}
          and e.is_countable) as countable,
      array(select distinct n.user_id from events e join notifications n on n.nid = e.nid
        where e.room_nid = r.room_nid and e.position > ${after} and e.position <= ${upTo}) as notified
    from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)`;
}

/** Receipts of everybody, private ones too, that stand in (after, upTo]. */
export async function listReceiptsBetween(
  sql: Sql,
  roomNids: readonly number[],
  after: number,
  upTo: number,
): Promise<ReceiptRow[]> {
  if (roomNids.length === 0) return [];
  return sql<ReceiptRow[]>`
    select room_nid, user_id, receipt_type, thread, event_id, receipt_ts from receipts
    where room_nid = any(${roomNids as number[]}::bigint[]) and position > ${after} and position <= ${upTo}`;
}

/** Whether anybody's device list changed in (after, upTo]. */
export async function hasDeviceListChanges(
  sql: Sql,
  after: number,
  upTo: number,
): Promise<boolean> {
  const [row] = await sql`
    select from device_list_changes where position > ${after} and position <= ${upTo} limit 1`;
  return row !== undefined;
}
