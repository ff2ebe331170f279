import {
  type ClientFilter,
  type EventFilter,
  matchesEventFilter,
  matchesRoomEventFilter,
  matchesRooms,
  type RoomEventFilter,
} from "../../core/filter.ts";
import { escapeText } from "../../storage/json-text.ts";
import type { TimelineConditions } from "../../storage/sync-timeline.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

/** Whether a sync shows this room at all. */
export const isRoomWanted = (filter: ClientFilter, roomId: string): boolean =>
  matchesRooms(filter.room, roomId);

/** Whether an event passes a section's filter. */
export function allowsEvent(
  filter: EventFilter | RoomEventFilter,
  event: StoredEvent | { type: string; sender?: string },
): boolean {
  if (!("containsUrl" in filter)) return matchesEventFilter(filter, event);
  return "pdu" in event
    ? matchesRooms(filter, event.room.roomId) &&
        matchesRoomEventFilter(filter, {
          type: event.type,
          sender: event.sender,
          // Reading it costs as much as all else, and few filters ask for it.
          ...(filter.containsUrl !== null && { content: event.pdu.content }),
        })
    : matchesRoomEventFilter(filter, event);
}

/** Events of a room's `ephemeral` section that pass. */
export const keepEphemeral = (
  { room: { ephemeral } }: ClientFilter,
  roomId: string,
  events: readonly object[],
): object[] =>
  matchesRooms(ephemeral, roomId)
    ? events.filter((event) =>
        allowsEvent(ephemeral, event as { type: string }),
      )
    : [];

/** Whether an account data event, as JSON text, passes. */
export function allowsAccountData(filter: EventFilter, text: string): boolean {
  if (filter.types === null && filter.notTypes.length === 0) return true;
  const { type } = JSON.parse(text) as { type: string };
  return matchesEventFilter(filter, { type });
}

/** A filter's conditions for the query that cuts timelines, so that its limit counts what passes. */
export function conditionsOf(filter: RoomEventFilter): TimelineConditions {
  const globs = (types: readonly string[]) => types.map(likeOf);
  const some = (list: readonly string[]) => (list.length > 0 ? list : null);
  return {
    types: filter.types && globs(filter.types),
    notTypes: some(globs(filter.notTypes)),
    senders: storable(filter.senders),
    notSenders: some(storable(filter.notSenders)),
    relTypes: storable(filter.relTypes),
    notRelTypes: some(storable(filter.notRelTypes)),
    hasUrl: filter.containsUrl,
    relatedBy:
      filter.relatedByRelTypes === null && filter.relatedBySenders === null
        ? null
        : {
            relTypes: storable(filter.relatedByRelTypes),
            senders: storable(filter.relatedBySenders),
          },
  };
}

export const NO_CONDITIONS: TimelineConditions = {
  types: null,
  notTypes: null,
  senders: null,
  notSenders: null,
  relTypes: null,
  notRelTypes: null,
  hasUrl: null,
  relatedBy: null,
};

/** Whether a timeline holds all events of its room, up to a limit. */
export const isUnconditional = (filter: RoomEventFilter): boolean =>
  filter.rooms === null &&
  filter.notRooms.length === 0 &&
  Object.values(conditionsOf(filter)).every((condition) => condition === null);

/** Senders and kinds of relations hold no NUL, which the database would not take either. */
const storable = <List extends readonly string[] | null>(
  list: List,
): List | string[] => list && list.filter((text) => !text.includes("\0"));

/** `*` is the only wildcard of a filter's types. */
const likeOf = (glob: string): string =>
  escapeText(glob)
    .replaceAll(/[\\%_]/g, "\\$&")
    .replaceAll("*", "%");
