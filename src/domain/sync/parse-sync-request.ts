import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { type ClientFilter, parseClientFilter } from "../../core/filter.ts";
import { readJson } from "../../core/json-reader.ts";
import { getFilter } from "../accounts/filters.ts";
import { notePresence } from "../accounts/presence.ts";
import type { Requester } from "../accounts/requester.ts";
import type { SyncRequest } from "./sync-request.ts";
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

/** Throws `M_INVALID_PARAM` for a token or a filter that this server never gave out. */
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
  await notePresence(edges, requester, query.set_presence ?? "online");
  return {
    requester,
    filter: await filterOf(edges, requester, query.filter),
    since,
    isFullState: query.full_state ?? false,
    useStateAfter:
      query.use_state_after ??
      query["org.matrix.msc4222.use_state_after"] ??
      false,
    timeoutMs: Math.min(Math.max(query.timeout ?? 0, 0), MAX_TIMEOUT_MS),
  };
}

async function filterOf(
  edges: Needs,
  { userId }: Requester,
  text: string | undefined,
): Promise<ClientFilter> {
  if (text === undefined || text === "") return parseClientFilter({});
  if (text.startsWith("{")) return parseClientFilter(readJson(text));
  return parseClientFilter(await getFilter(edges, userId, text));
}
