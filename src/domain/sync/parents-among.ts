import type { Edges } from "../../edges.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

/**
 * Ids of all that may have relations among the events of whole timelines: what relates
 * to an event comes after it, unless another server made it, which may send it later.
 */
export const parentsAmong = (
  { settings }: Pick<Edges, "settings">,
  events: readonly Pick<StoredEvent, "eventId" | "relatesTo" | "sender">[],
): string[] =>
  events.flatMap(({ eventId, relatesTo, sender }) => [
    ...(relatesTo === null ? [] : [relatesTo]),
    ...(isLocalUser(settings, sender) ? [] : [eventId]),
  ]);
