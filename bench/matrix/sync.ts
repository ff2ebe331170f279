import type { Account } from "./account.ts";
import { must, type Question } from "./http.ts";
import type { TimelineEvent } from "./rooms.ts";

export interface SyncAnswer {
  next_batch: string;
  rooms?: { join?: Record<string, JoinedRoom> };
}

export interface JoinedRoom {
  timeline?: {
    events?: TimelineEvent[];
    limited?: boolean;
    prev_batch?: string;
  };
}

export interface SyncRequest {
  readonly since?: string | undefined;
  readonly timeoutMs?: number;
  readonly timelineLimit?: number;
  readonly hasLazyMembers?: boolean;
}

export function syncQuestion(account: Account, request: SyncRequest): Question {
  const query = new URLSearchParams({
    timeout: String(request.timeoutMs ?? 0),
    filter: JSON.stringify(filterOf(request)),
    set_presence: "offline",
  });
  if (request.since !== undefined) query.set("since", request.since);
  return {
    method: "GET",
    path: `/_matrix/client/v3/sync?${query.toString()}`,
    token: account.token,
  };
}

const filterOf = ({ timelineLimit = 10, hasLazyMembers }: SyncRequest) => ({
  room: {
    timeline: { limit: timelineLimit },
    state: { lazy_load_members: hasLazyMembers ?? true },
  },
});

export const sync = (
  account: Account,
  request: SyncRequest = {},
): Promise<SyncAnswer> => must(account.http, syncQuestion(account, request));

const NEXT_BATCH = /"next_batch":\s*"([^"\\]+)"/;

/** Found in the text: parsing a hundred answers a message would be the load. */
export function nextBatchIn(text: string): string {
  const token = NEXT_BATCH.exec(text)?.[1];
  if (token === undefined)
    throw new Error(`no next_batch in ${text.slice(0, 200)}`);
  return token;
}
