import {
  parseRoomEventFilter,
  type RoomEventFilter,
} from "../../core/filter.ts";
import type { JsonObject } from "../../core/json.ts";
import { SEARCH_KEYS, type SearchKey } from "./searched-text.ts";
import {
  type GroupKey,
  parseSearchToken,
  type SearchToken,
} from "./search-token.ts";

/** What a client searches rooms for. */
export interface SearchRequest {
  term: string;
  keys: readonly SearchKey[];
  filter: RoomEventFilter;
  orderBy: "rank" | "recent";
  /** How much of what was said around each result comes along. */
  context: { before: number; after: number; withProfiles: boolean } | null;
  includeState: boolean;
  groupBy: readonly GroupKey[];
  token: SearchToken | null;
}

/** The criteria for `room_events`, as their schema has let them through. */
export interface SearchBody {
  search_term: string;
  keys?: SearchKey[];
  filter?: JsonObject;
  order_by?: "rank" | "recent";
  event_context?: {
    before_limit?: number;
    after_limit?: number;
    include_profile?: boolean;
  };
  include_state?: boolean;
  groupings?: { group_by?: { key: GroupKey }[] };
}

const MOST_RESULTS = 100;
/** Events on either side of a result. */
const MOST_AROUND = 20;
const USUALLY_AROUND = 5;

export function parseSearchRequest(
  body: SearchBody,
  nextBatch: string | undefined,
): SearchRequest {
  const filter = parseRoomEventFilter(body.filter ?? {});
  const around = body.event_context;
  const within = (asked = USUALLY_AROUND) => Math.min(asked, MOST_AROUND);
  const groups = body.groupings?.group_by?.map(({ key }) => key) ?? [];
  return {
    term: body.search_term,
    keys: body.keys ?? SEARCH_KEYS,
    filter: {
      ...filter,
      limit: Math.min(Math.max(filter.limit, 1), MOST_RESULTS),
    },
    orderBy: body.order_by ?? "rank",
    context: around
      ? {
          before: within(around.before_limit),
          after: within(around.after_limit),
          withProfiles: around.include_profile ?? false,
        }
      : null,
    includeState: body.include_state ?? false,
    groupBy: [...new Set(groups)],
    // Clients of before send an empty one for the first page.
    token: nextBatch ? parseSearchToken(nextBatch) : null,
  };
}
