import type { Sql } from "./database.ts";
import { decodeNids } from "./nid-set.ts";

interface Link {
  wanted: number;
  hops: number;
  added: Uint8Array;
  removed: Uint8Array;
}

/** The event numbers of state snapshots, each read through its parents to the last full one. */
export async function listSnapshots(
  sql: Sql,
  snapshotIds: readonly number[],
): Promise<Map<number, Set<number>>> {
  if (snapshotIds.length === 0) return new Map();
  const links = await sql<Link[]>`
    with recursive chain as (
      select snapshot_id as wanted, snapshot_id, parent_id, hops, added, removed
      from state_snapshots where snapshot_id = any(${snapshotIds as number[]}::bigint[])
      union all
      select c.wanted, s.snapshot_id, s.parent_id, s.hops, s.added, s.removed
      from chain c cross join lateral (
        -- Kept apart, or the plan for chains of unknown length reads the whole table.
        select * from state_snapshots p where p.snapshot_id = c.parent_id offset 0) s
    )
    select wanted, hops, added, removed from chain order by wanted, hops`;
  const sets = new Map<number, Set<number>>();
  for (const { wanted, added, removed } of links) {
    let set = sets.get(wanted);
    if (!set) sets.set(wanted, (set = new Set()));
    for (const nid of decodeNids(removed)) set.delete(nid);
    for (const nid of decodeNids(added)) set.add(nid);
  }
  return sets;
}

/** The numbers of a room's current state events. */
export async function listCurrentStateNids(
  sql: Sql,
  roomNid: number,
): Promise<number[]> {
  const rows = await sql<{ nid: number }[]>`
    select nid from current_state where room_nid = ${roomNid}`;
  return rows.map(({ nid }) => nid);
}

/** The snapshot after the last accepted event of a room up to a position. */
export async function findSnapshotAt(
  sql: Sql,
  roomNid: number,
  position: number,
): Promise<number | undefined> {
  const [row] = await sql<{ snapshotId: number | null }[]>`
    select coalesce(snapshot_after, snapshot_id) as snapshot_id from events
    where room_nid = ${roomNid} and position <= ${position} and status = 0
    order by position desc limit 1`;
  return row?.snapshotId ?? undefined;
}

/** The snapshot after a room's first member event: the earliest in which somebody is in it. */
export async function findFirstSnapshotWithMember(
  sql: Sql,
  roomNid: number,
): Promise<number | undefined> {
  const [row] = await sql<{ snapshotId: number | null }[]>`
    select e.snapshot_after as snapshot_id
    from state_changes c join events e on e.nid = c.new_nid
    where c.room_nid = ${roomNid} and c.type = 'm.room.member'
    order by c.position limit 1`;
  return row?.snapshotId ?? undefined;
}
