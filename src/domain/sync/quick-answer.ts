import { noteClear, readKeyCountsOnce } from "./device-memory.ts";
import { findQuickNews, type SinceRequest } from "./quick-news.ts";
import { readQuickEntries } from "./quick-entries.ts";
import { type SyncAnswer, type SyncEdges, writeAnswer } from "./sync-answer.ts";
import type { SyncRequest } from "./sync-request.ts";
import { formatSyncToken, type SyncToken } from "./sync-token.ts";
import type { UserView } from "./user-view.ts";

/**
 * The same answer as the whole one where it is short: nothing has touched the user,
 * and in the user's rooms there are new messages, receipts and typing at the most.
 * Then everything is known to this process, or is read once for all who wait for it.
 * Undefined where there is more to tell.
 */
export async function readQuickAnswer(
  edges: SyncEdges,
  request: SyncRequest,
  view: UserView,
  mark: number,
): Promise<SyncAnswer | undefined> {
  const { since, requester } = request;
  if (!since) return undefined;
  const asked: SinceRequest = { ...request, since };
  const news = findQuickNews(edges, asked, view, mark);
  if (!news) return undefined;
  const { upTo } = view;
  const join = await readQuickEntries(edges, asked, view, news, mark);
  if (!join) return undefined;
  const keys = await readKeyCountsOnce(edges, requester, upTo);
  noteClear(edges, requester, upTo);
  const token: SyncToken = {
    ...since,
    position: upTo,
    toDevicePosition: upTo,
    mark,
    keysDigest: keys.digest,
  };
  const parts = {
    token: formatSyncToken(token),
    invite: [],
    knock: [],
    accountData: [],
    presence: [],
    toDevice: [],
    keyCounts: keys.counts,
    fallbackTypes: keys.fallback,
    deviceLists: null,
  };
  const text = writeAnswer(parts, join);
  const hasKeyNews = since.keysDigest !== keys.digest;
  return { text, token, isEmpty: join.length === 0 && !hasKeyNews };
}
