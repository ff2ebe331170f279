import type { Edges } from "../../edges.ts";
import {
  listThreadFollowers,
  type ThreadPlace,
} from "../../storage/thread-subscriptions.ts";
import { relationOf } from "../rooms/relation.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

/** A thread, by its root's event id. */
export type Thread = Omit<ThreadPlace, "userId">;

/** Whether a user follows a thread; undefined where there is none. */
export type Follows = (
  userId: string,
  thread: Thread | undefined,
) => boolean | undefined;

/** Who of the users follows which of the threads, in one query, or none where that is nobody. */
export async function readFollowers(
  { db }: Pick<Edges, "db">,
  threads: readonly (Thread | undefined)[],
  userIds: readonly string[],
): Promise<Follows> {
  const places = new Map(
    threads.flatMap((thread) =>
      thread ? [[keyOf(thread), thread] as const] : [],
    ),
  );
  const rows = await listThreadFollowers(db, [...places.values()], userIds);
  const found = new Set(rows.map((row) => `${keyOf(row)} ${row.userId}`));
  return (userId, thread) => thread && found.has(`${keyOf(thread)} ${userId}`);
}

const keyOf = ({ roomNid, thread }: Thread): string => `${roomNid} ${thread}`;

/** The thread of a stored event. One that counts nowhere is not noted with it. */
export function threadOf({
  roomNid,
  thread,
  pdu,
}: StoredEvent): Thread | undefined {
  const root = thread ?? relationOf(pdu).thread;
  return root === null ? undefined : { roomNid, thread: root };
}
