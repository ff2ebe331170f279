import type { Edges } from "../../edges.ts";
import { finishEvent } from "../../core/finish-event.ts";
import type { RoomRules } from "../../core/room-version.ts";
import type { EventDraft } from "./proposal.ts";

type Needs = Pick<Edges, "random" | "serverKey" | "settings">;

/** Random, or in room version 12 the create event's hash: the event is made twice, alike. */
export function newRoomId(
  { random, serverKey, settings: { serverName } }: Needs,
  rules: RoomRules,
  { type, sender, content, originServerTs }: EventDraft,
): string {
  if (rules.roomIdFormat === "domain") {
    return `!${random.letters(18)}:${serverName}`;
  }
  if (originServerTs === undefined) {
    throw new TypeError("The time of the create event is part of its id.");
  }
  const { eventId } = finishEvent(
    rules,
    {
      type,
      sender,
      state_key: "",
      content,
      origin_server_ts: originServerTs,
      depth: 1,
      prev_events: [],
      auth_events: [],
    },
    { serverName, ...serverKey },
  );
  return `!${eventId.slice(1)}`;
}
