import type { Sql } from "./database.ts";

export interface ErasureRow {
  userId: string;
  requestedBy: string;
  requestedTs: number;
  dueTs: number;
  /** Its account ends with it. */
  isEnding: boolean;
}

const columns = (sql: Sql) => sql`
  p.user_id, p.requested_by, p.requested_ts, p.due_ts, u.is_ending
  from pending_erasures p join users u on u.user_id = p.user_id`;

/** Erasures that wait to be taken back, or to be done. */
export function listPendingErasures(
  sql: Sql,
  limit: number,
): Promise<ErasureRow[]> {
  return sql<ErasureRow[]>`
    select ${columns(sql)} order by p.due_ts, p.user_id limit ${limit}`;
}

/** Those whose time has come, by the database's clock, and that nothing holds. */
export function listDueErasures(
  sql: Sql,
  limit: number,
): Promise<ErasureRow[]> {
  return sql<ErasureRow[]>`
    select ${columns(sql)}
    where p.due_ts <= database_ms() and not is_erasure_held(p.user_id) order by p.due_ts limit ${limit}`;
}

/** Those whose time has come, and that a hold keeps from being done; each is told of once. */
export function listHeldErasures(
  sql: Sql,
  limit: number,
): Promise<ErasureRow[]> {
  return sql<ErasureRow[]>`
    select ${columns(sql)}
    where p.due_ts <= database_ms() and p.held_ts is null and is_erasure_held(p.user_id)
    order by p.due_ts limit ${limit}`;
}

export interface PendingErasure {
  requestedTs: number | null;
  dueTs: number | null;
  isDone: boolean;
}

/** When a user's erasure was asked for, where it waits; and whether one was done. */
export async function findErasure(
  sql: Sql,
  userId: string,
): Promise<PendingErasure> {
  const [row] = await sql<PendingErasure[]>`
    select p.requested_ts, p.due_ts, u.erased_position is not null as is_done
    from users u left join pending_erasures p on p.user_id = u.user_id
    where u.user_id = ${userId}`;
  return row ?? { requestedTs: null, dueTs: null, isDone: false };
}

/** Whether a hold keeps what a user has from being destroyed. */
export async function isErasureHeld(
  sql: Sql,
  userId: string,
): Promise<boolean> {
  const [row] = await sql<{ isHeld: boolean }[]>`
    select is_erasure_held(${userId}) as is_held`;
  return row!.isHeld;
}
