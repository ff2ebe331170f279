import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { withThreadRules } from "../../core/push/thread-rules.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import {
  type ChangedSubscription,
  findThreadSubscription,
  hasFollowedThreads,
  listChangedSubscriptions,
  type ThreadPlace,
  type ThreadSubscription,
} from "../../storage/thread-subscriptions.ts";
import { listWithheldIds, type PolicyEdges } from "../policies/enforce.ts";
import type { PreparedChange } from "../accounts/update-account-data.ts";
import {
  isKeepable,
  prepareRuleset,
  PUSH_RULES_TOPIC,
} from "../push/push-rules.ts";
import { getVisibleEvent } from "./context.ts";
import { openEvents } from "./event-store.ts";
import { showEvents } from "./gate.ts";
import type { StoredEvent } from "./stored-event.ts";

type Reads = Pick<Edges, "db" | "keyring" | "memory">;
type Needs = Reads & Pick<Edges, "committer">;

const MAX_TRIES = 50;

/** Whether the user follows a thread of their own will or automatically; throws `M_NOT_FOUND`. */
export async function getThreadSubscription(
  edges: Reads,
  userId: string,
  roomId: string,
  rootId: string,
): Promise<{ isAutomatic: boolean }> {
  const place = placeOf(userId, await getRoot(edges, userId, roomId, rootId));
  const known = await findThreadSubscription(edges.db, place);
  if (known?.isSubscribed) return known;
  throw new MatrixError("M_NOT_FOUND", "You are not subscribed to the thread.");
}

/**
 * Follows a thread (MSC4306). Automatically is for an event of the thread that
 * the user was meant by: one that stood there when they unsubscribed begins it no more.
 */
export async function subscribeToThread(
  edges: Needs,
  userId: string,
  roomId: string,
  { rootId, causeId }: { rootId: string; causeId?: string },
): Promise<void> {
  const root = await getRoot(edges, userId, roomId, rootId);
  const cause =
    causeId === undefined
      ? undefined
      : await getCause(edges, userId, root, causeId);
  await change(edges, placeOf(userId, root), (known) => {
    if (cause === undefined) {
      const isSame = known?.isSubscribed && !known.isAutomatic;
      return isSame ? undefined : { isSubscribed: true, isAutomatic: false };
    }
    if (known?.isSubscribed) return undefined;
    if (known && (cause.position ?? 0) <= known.position) throw conflicting();
    return { isSubscribed: true, isAutomatic: true };
  });
}

/** Follows a thread no longer; whoever does not follow it is answered alike. */
export async function unsubscribeFromThread(
  edges: Needs,
  userId: string,
  roomId: string,
  rootId: string,
): Promise<void> {
  const root = await getRoot(edges, userId, roomId, rootId);
  await change(edges, placeOf(userId, root), (known) =>
    known?.isSubscribed
      ? { isSubscribed: false, isAutomatic: false }
      : undefined,
  );
}

/** What became of a user's subscriptions, by room and thread. */
export interface SubscriptionChanges {
  subscribed: Record<
    string,
    Record<string, { automatic: boolean; bump_stamp: number }>
  >;
  unsubscribed: Record<string, Record<string, { bump_stamp: number }>>;
}

/**
 * The newest changes of thread subscriptions in (after, upTo] of the stream (MSC4308).
 * @returns the changes, and up to where there are more of them
 */
export async function readSubscriptionChanges(
  edges: PolicyEdges,
  userId: string,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<{ changes: SubscriptionChanges; moreUpTo: number | null }> {
  const range = { after, upTo, limit: limit + 1 };
  const rows = await listChangedSubscriptions(edges.db, userId, range);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const withheld = await listWithheldIds(edges, userId, [
    ...new Set(page.map(({ roomId }) => roomId)),
  ]);
  return {
    changes: changesOf(page.filter(({ roomId }) => !withheld.has(roomId))),
    moreUpTo: last && rows.length > limit ? last.position - 1 : null,
  };
}

function changesOf(rows: readonly ChangedSubscription[]): SubscriptionChanges {
  const subscribed: SubscriptionChanges["subscribed"] = {};
  const unsubscribed: SubscriptionChanges["unsubscribed"] = {};
  for (const row of rows) {
    const { roomId, thread, position: bump_stamp } = row;
    if (row.isSubscribed) {
      const threads = (subscribed[roomId] ??= {});
      threads[thread] = { automatic: row.isAutomatic, bump_stamp };
    } else {
      (unsubscribed[roomId] ??= {})[thread] = { bump_stamp };
    }
  }
  return { subscribed, unsubscribed };
}

async function getRoot(
  edges: Reads,
  userId: string,
  roomId: string,
  rootId: string,
): Promise<StoredEvent> {
  const { shown } = await getVisibleEvent(edges, userId, roomId, rootId);
  return shown.event;
}

const placeOf = (
  userId: string,
  { roomNid, eventId }: StoredEvent,
): ThreadPlace => ({ userId, roomNid, thread: eventId });

/** @throws MatrixError M_NOT_FOUND, or where the event is not of the thread */
async function getCause(
  edges: Reads,
  userId: string,
  root: StoredEvent,
  causeId: string,
): Promise<StoredEvent> {
  const heads = await listEventHeadsById(edges.db, root.roomNid, [causeId]);
  const opened = await openEvents(edges, heads);
  const [cause] = await showEvents(edges, userId, opened);
  if (!cause) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "The event of the automatic subscription is not known in this room.",
    );
  }
  const { relType, relatesTo } = cause.event;
  if (relType === "m.thread" && relatesTo === root.eventId) return cause.event;
  throw new MatrixError(
    "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD",
    "An automatic subscription names an event of the thread.",
  );
}

const conflicting = (): MatrixError =>
  new MatrixError(
    "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION",
    "You have unsubscribed from the thread after this event.",
  );

type Wish = Pick<ThreadSubscription, "isSubscribed" | "isAutomatic">;

/** Of two changes that were made of the same subscription the second is made anew. */
async function change(
  edges: Needs,
  place: ThreadPlace,
  make: (known: ThreadSubscription | undefined) => Wish | undefined,
): Promise<void> {
  const { db, committer, keyring } = edges;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const known = await findThreadSubscription(db, place);
    const wish = make(known);
    if (!wish) return;
    const rules = known ? undefined : await prepareRules(edges, place.userId);
    const claims = [claimOf(place, known?.position ?? 0)];
    if (rules) claims.push(rules.claim);
    const outcome = await committer.commit({
      positions: 1,
      idempotency: claims.map((key) => ({ key, answer: "" })),
      rows: {
        threadSubscriptions: [{ at: 0, ...place, ...wish }],
        ...rules?.rowsAt(0),
      },
      ...(rules && { wake: { users: [PUSH_RULES_TOPIC] } }),
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict" && rules) keyring.forget([rules.keyId]);
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

/** Whoever follows their first thread is told of threads as they follow them, from then on. */
async function prepareRules(
  edges: Reads,
  userId: string,
): Promise<PreparedChange | undefined> {
  if (await hasFollowedThreads(edges.db, userId)) return undefined;
  return prepareRuleset(edges, userId, (ruleset) => {
    const changed = withThreadRules(ruleset);
    return changed && isKeepable(changed, userId) ? changed : undefined;
  });
}

const claimOf = (
  { userId, roomNid, thread }: ThreadPlace,
  position: number,
): Uint8Array =>
  createHash("sha256")
    .update(
      JSON.stringify([
        "thread subscription",
        userId,
        roomNid,
        thread,
        position,
      ]),
    )
    .digest()
    .subarray(0, 16);
