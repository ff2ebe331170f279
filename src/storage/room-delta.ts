import type { Sql } from "./database.ts";
import type { ReceiptRow } from "./sync-extras.ts";

/** A room between two places of the stream: (after, upTo]. */
export interface DeltaRange {
  roomNid: number;
  after: number;
  upTo: number;
}

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
  ranges: readonly DeltaRange[],
): Promise<DeltaFacts[]> {
  if (ranges.length === 0) return [];
  return sql<DeltaFacts[]>`
    select r.room_nid,
      exists (select from state_changes s
        where s.room_nid = r.room_nid and s.position > r.after_position and s.position <= r.up_to) as has_state_changes,
      exists (select from receipts x
        where x.room_nid = r.room_nid and x.position > r.after_position and x.position <= r.up_to) as has_receipts,
      (select count(*) from events e
        where e.room_nid = r.room_nid and e.position > r.after_position and e.position <= r.up_to
          and e.is_countable) as countable,
      array(select distinct n.user_id from events e join notifications n on n.nid = e.nid
        where e.room_nid = r.room_nid and e.position > r.after_position and e.position <= r.up_to) as notified
    from unnest(
      ${ranges.map((r) => r.roomNid)}::bigint[], ${ranges.map((r) => r.after)}::bigint[],
      ${ranges.map((r) => r.upTo)}::bigint[]) as r(room_nid, after_position, up_to)`;
}

/** Receipts of everybody, private ones too, that stand in (after, upTo]. */
export async function listReceiptsBetween(
  sql: Sql,
  ranges: readonly DeltaRange[],
): Promise<ReceiptRow[]> {
  if (ranges.length === 0) return [];
  return sql<ReceiptRow[]>`
    select x.room_nid, x.user_id, x.receipt_type, x.thread, x.event_id, x.receipt_ts
    from unnest(
      ${ranges.map((r) => r.roomNid)}::bigint[], ${ranges.map((r) => r.after)}::bigint[],
      ${ranges.map((r) => r.upTo)}::bigint[]) as r(room_nid, after_position, up_to)
    join receipts x on x.room_nid = r.room_nid and x.position > r.after_position and x.position <= r.up_to`;
}
