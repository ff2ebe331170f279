import { userPowerLevel } from "../power-levels.ts";
import type { RoomRules } from "../room-version.ts";
import { findCreateEvent } from "./create-event.ts";
import { findPowerLevels } from "./mainline.ts";
import type { PowerOrderKey } from "./power-order.ts";
import type { EventLookup } from "./state-map.ts";

/** What the reverse topological power ordering needs of an event. */
export const powerOrderKeys =
  (rules: RoomRules, events: EventLookup) =>
  (eventId: string): PowerOrderKey => {
    const event = events(eventId);
    if (event === undefined) {
      throw new TypeError(`An event to be sorted is not known: ${eventId}`);
    }
    const { sender, origin_server_ts: originServerTs } = event.pdu;
    const senderPower = userPowerLevel(
      rules,
      findCreateEvent(rules, event, events),
      findPowerLevels(event, events),
      sender,
    );
    return { eventId, senderPower, originServerTs };
  };
