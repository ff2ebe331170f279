import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { type ClientFilter, parseClientFilter } from "../../core/filter.ts";
import { readJson } from "../../core/json-reader.ts";
import { getFilter } from "../accounts/filters.ts";
import { notePresence } from "../accounts/presence.ts";
import { rateLimiterOf } from "../accounts/rate-limits.ts";
import { sweepTyping } from "../rooms/typing.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { Requester } from "../accounts/requester.ts";
import type { StateAfterName, SyncRequest } from "./sync-request.ts";
import { findSyncToken } from "./sync-token.ts";

export interface SyncQuery {
  filter?: string;
  since?: string;
  full_state?: boolean;
  set_presence?: string;
  timeout?: number;
  use_state_after?: boolean;
  "org.matrix.msc4222.use_state_after"?: boolean;
}

type Needs = Pick<
  Edges,
  "db" | "keyring" | "log" | "memory" | "notifier" | "now" | "settings"
>;

const MAX_TIMEOUT_MS = 120_000;

/**
 * Throws `M_INVALID_PARAM` for a token or a filter that this server never gave out, and
 * `M_LIMIT_EXCEEDED` for too many syncs of everything.
 */
export async function parseSyncRequest(
  edges: Needs,
  requester: Requester,
  query: SyncQuery,
): Promise<SyncRequest> {
  const since = query.since === undefined ? null : findSyncToken(query.since);
  if (since === undefined) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      '"since" is not a token of this server.',
    );
  }
  // It costs as much as a hundred others.
  if (since === null || query.full_state === true)
    await rateLimiterOf(edges).take("firstSync", requester.userId);
  await sweepTyping(edges);
  await notePresence(edges, requester, query.set_presence ?? "online");
  return {
    requester,
    filter: await filterOf(edges, requester, query.filter),
    since,
    isFullState: query.full_state ?? false,
    stateAfterName: stateAfterNameOf(query),
    timeoutMs: Math.min(Math.max(query.timeout ?? 0, 0), MAX_TIMEOUT_MS),
  };
}

/** Who asks by the unstable name looks for the answer under the unstable name. */
function stateAfterNameOf(query: SyncQuery): StateAfterName | null {
  const { use_state_after: isStable } = query;
  if (isStable !== undefined) return isStable ? "state_after" : null;
  return query["org.matrix.msc4222.use_state_after"]
    ? "org.matrix.msc4222.state_after"
    : null;
}

const EVERYTHING = parseClientFilter({});
const parsed = slot(
  () => new WeightedCache<string, Parsed>(16_000_000, ({ weight }) => weight),
);

interface Parsed {
  filter: ClientFilter;
  weight: number;
}

/** A stored filter never changes, so what it says has to be understood once. */
async function filterOf(
  edges: Needs,
  { userId }: Requester,
  text: string | undefined,
): Promise<ClientFilter> {
  if (text === undefined || text === "") return EVERYTHING;
  const isInline = text.trimStart().startsWith("{");
  const key = isInline ? text : `${text} ${userId}`;
  const cache = edges.memory.of(parsed);
  const known = cache.get(key);
  if (known) return known.filter;
  const value = isInline
    ? readJson(text)
    : await getFilter(edges, userId, text);
  const filter = parseClientFilter(value);
  cache.set(key, { filter, weight: 1000 + 2 * key.length + weigh(filter) });
  return filter;
}

/** Roughly the bytes that a filter takes: a stored one has a short key and long lists. */
function weigh(value: unknown): number {
  if (typeof value === "string") return 40 + 2 * value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce<number>((sum, v) => sum + weigh(v), 40);
}
