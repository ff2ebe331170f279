import type { Requester } from "../accounts/requester.ts";
import type { ClientFilter } from "../../core/filter.ts";
import type { SyncToken } from "./sync-token.ts";

/** The name of the specification, and that of MSC4222 for clients that ask by it. */
export type StateAfterName = "state_after" | "org.matrix.msc4222.state_after";

/** What one `/sync` asks for. */
export interface SyncRequest {
  requester: Requester;
  filter: ClientFilter;
  /** Null for an initial sync. */
  since: SyncToken | null;
  isFullState: boolean;
  /** What state at the end of the timeline is called; null: state is of its start. */
  stateAfterName: StateAfterName | null;
  timeoutMs: number;
}
