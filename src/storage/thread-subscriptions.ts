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

/** Whether the user has ever followed a thread, of any room. */
export async function hasFollowedThreads(
  sql: Sql,
  userId: string,
): Promise<boolean> {
  const [row] = await sql<{ isKnown: boolean }[]>`
    select exists (select from thread_subscriptions where user_id = ${userId}) as is_known`;
  return row!.isKnown;
}

/** Who of the users follows which of the threads. */
export async function listThreadFollowers(
  sql: Sql,
  threads: readonly Omit<ThreadPlace, "userId">[],
  userIds: readonly string[],
): Promise<ThreadPlace[]> {
  if (threads.length === 0 || userIds.length === 0) return [];
  return sql<ThreadPlace[]>`
    select s.user_id, s.room_nid, s.thread
    from unnest(${threads.map(({ roomNid }) => roomNid)}::bigint[], ${threads.map(({ thread }) => thread)}::text[])
      as t(room_nid, thread)
    join thread_subscriptions s on s.room_nid = t.room_nid and s.thread = t.thread
    where s.is_subscribed and s.user_id = any(${userIds as string[]}::text[])`;
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
