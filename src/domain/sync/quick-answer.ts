import type { KeyCounts } from "./device-section.ts";
import { noteClear, readKeyCountsOnce } from "./device-memory.ts";
import { findQuickNews, type SinceRequest } from "./quick-news.ts";
import { readQuickEntries } from "./quick-entries.ts";
import {
  type AnsweredRoom,
  type SyncAnswer,
  type SyncEdges,
  writeAnswer,
} from "./sync-answer.ts";
import { digestIn } from "./seen-view.ts";
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
  if (!since || since.withheld !== digestIn(view)) return undefined;
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
  return new QuickAnswer(since, token, keys, join);
}

/** Written when it is sent: of a client that waits, few answers without news ever are. */
class QuickAnswer implements SyncAnswer {
  readonly token: SyncToken;
  readonly isEmpty: boolean;
  readonly #keys: KeyCounts;
  readonly #join: readonly AnsweredRoom[];

  constructor(
    since: SyncToken,
    token: SyncToken,
    keys: KeyCounts,
    join: readonly AnsweredRoom[],
  ) {
    this.token = token;
    this.isEmpty = join.length === 0 && since.keysDigest === keys.digest;
    this.#keys = keys;
    this.#join = this.isEmpty ? NO_ROOMS : join;
  }

  get text(): string {
    const parts = {
      token: formatSyncToken(this.token),
      invite: [],
      knock: [],
      accountData: [],
      presence: [],
      toDevice: [],
      keyCounts: this.#keys.counts,
      fallbackTypes: this.#keys.fallback,
      deviceLists: null,
    };
    return writeAnswer(parts, this.#join);
  }
}

const NO_ROOMS: readonly AnsweredRoom[] = [];
