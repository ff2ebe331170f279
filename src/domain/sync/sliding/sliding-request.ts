import type { Requester } from "../../accounts/requester.ts";
import type { ListFilters } from "./list-filters.ts";
import type { RoomConfig } from "./required-state.ts";
import type { SlidingPos } from "./sliding-pos.ts";

/** A part of a list, both ends included; of the whole list where it is not bounded. */
export type ListRange = readonly [first: number, last: number];

export interface ListRequest {
  name: string;
  ranges: readonly ListRange[];
  filters: ListFilters;
  config: RoomConfig;
}

/** Of which rooms an extension tells. */
export interface ExtensionScope {
  /** Names of lists, `*` for all. */
  lists: readonly string[];
  /** Ids of rooms that are subscribed to, `*` for all. */
  rooms: readonly string[];
}

/** What is asked for besides rooms; null where it is not. */
export interface ExtensionRequests {
  toDevice: { since: string | null; limit: number } | null;
  e2ee: boolean;
  accountData: ExtensionScope | null;
  receipts: ExtensionScope | null;
  typing: ExtensionScope | null;
  threadSubscriptions: { limit: number } | null;
}

/** What one request of sliding sync asks for. */
export interface SlidingRequest {
  requester: Requester;
  connId: string;
  /** Null where a connection begins. */
  pos: SlidingPos | null;
  timeoutMs: number;
  lists: readonly ListRequest[];
  subscriptions: ReadonlyMap<string, RoomConfig>;
  extensions: ExtensionRequests;
}

/** Whether any rooms are asked for. */
export const asksForRooms = ({
  lists,
  subscriptions,
}: Pick<SlidingRequest, "lists" | "subscriptions">): boolean =>
  lists.length > 0 || subscriptions.size > 0;
