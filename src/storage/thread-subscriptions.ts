import type { Sql } from "./database.ts";

export interface ThreadSubscription {
  isSubscribed: boolean;
  isAutomatic: boolean;
  /** Where in the stream it became what it is. */
  position: number;
}

/** Where somebody's subscription of one thread is kept; the thread is its root's event id. */
export interface ThreadPlace {
  userId: string;
  roomNid: number;
  thread: string;
}

export async function findThreadSubscription(
  sql: Sql,
  { userId, roomNid, thread }: ThreadPlace,
): Promise<ThreadSubscription | undefined> {
  const [row] = await sql<ThreadSubscription[]>`
    select is_subscribed, is_automatic, position from thread_subscriptions
    where user_id = ${userId} and room_nid = ${roomNid} and thread = ${thread}`;
  return row;
}

export interface ChangedSubscription extends ThreadSubscription {
  roomId: string;
  thread: string;
}

/** A user's subscriptions that changed in (after, upTo], the newest first. */
export async function listChangedSubscriptions(
  sql: Sql,
  userId: string,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<ChangedSubscription[]> {
  return sql<ChangedSubscription[]>`
    select r.room_id, s.thread, s.is_subscribed, s.is_automatic, s.position
    from thread_subscriptions s join rooms r on r.room_nid = s.room_nid
    where s.user_id = ${userId} and s.position > ${after} and s.position <= ${upTo}
    order by s.position desc limit ${limit}`;
}
