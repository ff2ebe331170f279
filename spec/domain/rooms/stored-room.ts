import { stateKeyOf } from "../../../src/core/state/state-map.ts";
import type { Sql } from "../../../src/storage/database.ts";
import { unescapeText } from "../../../src/storage/json-text.ts";
import { listSnapshots } from "../../../src/storage/snapshots.ts";

export interface StoredRow {
  nid: number;
  eventId: string;
  type: string;
  stateKey: string | null;
  status: number;
  position: number | null;
  depth: number;
  refusal: string | null;
  snapshotId: number | null;
  snapshotAfter: number | null;
}

/** What the tables say of a room. */
export async function readStoredRoom(sql: Sql, roomNid: number) {
  const rows = await sql<StoredRow[]>`
    select nid, event_id, type, state_key, status, position, depth, refusal, snapshot_id, snapshot_after
    from events where room_nid = ${roomNid} order by position`;
  const byNid = new Map(rows.map((row) => [row.nid, row]));
  const stateOf = (nids: Iterable<number>) =>
    new Map(
      [...nids].map((nid) => {
        const { type, stateKey, eventId } = byNid.get(nid)!;
        const place = [unescapeText(type), unescapeText(stateKey!)] as const;
        return [stateKeyOf(...place), eventId];
      }),
    );
  const current = await sql<{ nid: number }[]>`
    select nid from current_state where room_nid = ${roomNid}`;
  const tips = await sql<{ eventId: string }[]>`
    select e.event_id from forward_extremities f join events e using (nid)
    where f.room_nid = ${roomNid} order by e.event_id`;
  const [room] = await sql<{ snapshotId: number; stateVersion: number }[]>`
    select snapshot_id, state_version from rooms where room_nid = ${roomNid}`;
  const snapshots = await listSnapshots(sql, [
    ...new Set(
      rows.flatMap((row) => [row.snapshotId ?? 0, row.snapshotAfter ?? 0]),
    ),
    room!.snapshotId,
  ]);
  const members = await sql<{ userId: string; membership: string }[]>`
    select user_id, membership from memberships where room_nid = ${roomNid} order by user_id`;
  return {
    rows,
    byId: new Map(rows.map((row) => [row.eventId, row])),
    current: stateOf(current.map(({ nid }) => nid)),
    stateVersion: room!.stateVersion,
    roomSnapshot: stateOf(snapshots.get(room!.snapshotId) ?? []),
    stateOfSnapshot: (id: number | null) =>
      stateOf(snapshots.get(id ?? 0) ?? []),
    tips: tips.map(({ eventId }) => eventId),
    members: new Map(members.map((row) => [row.userId, row.membership])),
  };
}
