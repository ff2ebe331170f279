import type { Edges } from "../../../edges.ts";
import { notePresence } from "../../accounts/presence.ts";
import { rateLimiterOf } from "../../accounts/rate-limits.ts";
import type { Requester } from "../../accounts/requester.ts";
import { sweepTyping } from "../../rooms/typing.ts";
import type { ListFilters } from "./list-filters.ts";
import { RequiredState, type RoomConfig } from "./required-state.ts";
import { findSlidingPos, unknownPos } from "./sliding-pos.ts";
import type {
  ExtensionRequests,
  ExtensionScope,
  ListRange,
  SlidingRequest,
} from "./sliding-request.ts";

export interface SlidingQuery {
  pos?: string;
  timeout?: number;
  set_presence?: string;
}

interface ConfigBody {
  timeline_limit?: number;
  required_state?: [string, string][];
}

interface ScopeBody {
  enabled?: boolean | null;
  lists?: string[] | null;
  rooms?: string[] | null;
}

export interface SlidingBody {
  conn_id?: string;
  lists?: Record<
    string,
    ConfigBody & { ranges?: ListRange[] | null; filters?: ListFilters | null }
  >;
  room_subscriptions?: Record<string, ConfigBody>;
  extensions?: {
    to_device?: {
      enabled?: boolean | null;
      since?: string | null;
      limit?: number | null;
    };
    e2ee?: { enabled?: boolean | null };
    account_data?: ScopeBody;
    receipts?: ScopeBody;
    typing?: ScopeBody;
    "io.element.msc4308.thread_subscriptions"?: {
      enabled?: boolean | null;
      limit?: number | null;
    };
  };
}

type Needs = Pick<
  Edges,
  "db" | "keyring" | "log" | "memory" | "notifier" | "now" | "settings"
>;

const MAX_TIMEOUT_MS = 120_000;
const MOST_TIMELINE = 100;
const MOST_TO_DEVICE = 100;
const MOST_SUBSCRIPTIONS = 100;
/** A connection that begins with more rooms costs as much as a sync of everything. */
const MANY_ROOMS = 100;
const EVERYTHING: readonly ListRange[] = [[0, Number.MAX_SAFE_INTEGER]];

/**
 * Throws `M_UNKNOWN_POS` for a position that this server never gave out, and
 * `M_LIMIT_EXCEEDED` for too many connections that begin with many rooms.
 */
export async function parseSlidingRequest(
  edges: Needs,
  requester: Requester,
  query: SlidingQuery,
  body: SlidingBody,
): Promise<SlidingRequest> {
  const { userId } = requester;
  const pos = query.pos === undefined ? null : findSlidingPos(query.pos);
  if (pos === undefined) throw unknownPos();
  const configOf = configReader(userId);
  const lists = Object.entries(body.lists ?? {}).map(([name, list]) => ({
    name,
    ranges: list.ranges ?? EVERYTHING,
    filters: list.filters ?? {},
    config: configOf(list),
  }));
  const subscriptions = new Map(
    Object.entries(body.room_subscriptions ?? {}).map(([roomId, config]) => [
      roomId,
      configOf(config),
    ]),
  );
  if (pos === null) {
    const asked = lists.flatMap(({ ranges }) => ranges).map(sizeOf);
    const most = asked.reduce((sum, size) => sum + size, subscriptions.size);
    if (most > MANY_ROOMS) await rateLimiterOf(edges).take("firstSync", userId);
  }
  await sweepTyping(edges);
  await notePresence(edges, requester, query.set_presence ?? "online");
  return {
    requester,
    connId: body.conn_id ?? "",
    pos,
    timeoutMs: Math.min(Math.max(query.timeout ?? 0, 0), MAX_TIMEOUT_MS),
    lists,
    subscriptions,
    extensions: extensionsOf(body.extensions ?? {}),
  };
}

const sizeOf = ([first, last]: ListRange): number =>
  Math.max(0, last - first + 1);

/** Clients send the same for all lists and rooms: equal ones are read once. */
function configReader(userId: string) {
  const known = new Map<string, RequiredState>();
  return (body: ConfigBody): RoomConfig => {
    const pairs = body.required_state ?? [];
    const text = JSON.stringify(pairs);
    let required = known.get(text);
    if (!required)
      known.set(text, (required = RequiredState.parse(pairs, userId)));
    const limit = Math.max(0, body.timeline_limit ?? 0);
    return { timelineLimit: Math.min(limit, MOST_TIMELINE), required };
  };
}

function extensionsOf(
  asked: NonNullable<SlidingBody["extensions"]>,
): ExtensionRequests {
  const { to_device: toDevice } = asked;
  const threads = asked["io.element.msc4308.thread_subscriptions"];
  const limit = toDevice?.limit ?? MOST_TO_DEVICE;
  return {
    toDevice: toDevice?.enabled
      ? {
          since: toDevice.since ?? null,
          limit: Math.min(Math.max(limit, 1), MOST_TO_DEVICE),
        }
      : null,
    e2ee: asked.e2ee?.enabled ?? false,
    accountData: scopeOf(asked.account_data),
    receipts: scopeOf(asked.receipts),
    typing: scopeOf(asked.typing),
    threadSubscriptions: threads?.enabled
      ? {
          limit: Math.min(
            Math.max(threads.limit ?? MOST_SUBSCRIPTIONS, 1),
            MOST_SUBSCRIPTIONS,
          ),
        }
      : null,
  };
}

const ALL: readonly string[] = ["*"];

const scopeOf = (asked: ScopeBody | undefined): ExtensionScope | null =>
  asked?.enabled
    ? { lists: asked.lists ?? ALL, rooms: asked.rooms ?? ALL }
    : null;
