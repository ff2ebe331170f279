import type { Edges } from "../../edges.ts";
import type { StateLookup } from "../../core/auth/check.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { BuiltEvent } from "../rooms/proposal.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";

export interface Assessment {
  /** By event: whether it notifies everyone whose rules are the default ones. */
  countable: boolean[];
  notifications: WriteRows["notifications"];
}

/** What a run's events mean for unread counts, before it commits. */
export function assessEvents(
  _edges: Pick<Edges, "db" | "memory">,
  _room: RoomIdentity,
  events: readonly BuiltEvent[],
  _state: StateLookup,
): Promise<Assessment> {
  return Promise.resolve({ countable: events.map(() => false), notifications: [] });
}
