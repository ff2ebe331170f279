import type { Requester } from "../accounts/requester.ts";
import type { ClientFilter } from "../../core/filter.ts";
import type { SyncToken } from "./sync-token.ts";

/** What one `/sync` asks for. */
export interface SyncRequest {
  requester: Requester;
  filter: ClientFilter;
  /** Null for an initial sync. */
  since: SyncToken | null;
  isFullState: boolean;
  /** State at the end of the timeline instead of its start (MSC4222). */
  useStateAfter: boolean;
  timeoutMs: number;
}
