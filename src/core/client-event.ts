import { canonicalJsonAsReceived, canonicalString } from "./canonical-json.ts";
import { asJson, type Pdu } from "./event.ts";
import { mergeEvent } from "./event-parts.ts";
import { emptyJsonObject, type JsonObject } from "./json.ts";
import { listMemberSpans } from "./member-spans.ts";
import { redactsOf } from "./redaction.ts";
import type { RoomRules } from "./room-version.ts";

/**
 * An event as clients see it, but for `room_id` and `unsigned`, which
 * `closeClientEvent` adds for one viewer. The text lacks its closing brace, so
 * that it can be made once for all who wait for the event.
 */
export function openClientEvent(
  rules: RoomRules,
  eventId: string,
  pdu: Pdu,
): string {
  const shown = clientEvent(rules, eventId, pdu);
  return canonicalJsonAsReceived(shown).slice(0, -1);
}

/** As `openClientEvent`, from the event's canonical JSON: what is shown stands there as it is written. */
export function openClientText(
  rules: RoomRules,
  eventId: string,
  text: string,
): string {
  const values = new Map<string, string>();
  for (const { key, valueStart, end } of listMemberSpans(text))
    values.set(key, text.slice(valueStart, end));
  if (values.get("type") === '"m.room.redaction"')
    return openClientEvent(rules, eventId, mergeEvent(text, null));
  const stateKey = values.get("state_key");
  const ofState = stateKey === undefined ? "" : `,"state_key":${stateKey}`;
  return `{"content":${values.get("content")},"event_id":${canonicalString(eventId)},"origin_server_ts":${values.get("origin_server_ts")},"sender":${values.get("sender")}${ofState},"type":${values.get("type")}`;
}

/** As `openClientEvent`, of all that other servers get, and the id by which clients know it. */
export function openFederationEvent(eventId: string, pdu: Pdu): string {
  const event = emptyJsonObject();
  const raw = asJson(pdu);
  for (const key of Object.keys(raw)) {
    if (key !== "unsigned") event[key] = raw[key]!;
  }
  event["event_id"] = eventId;
  return canonicalJsonAsReceived(event).slice(0, -1);
}

/** `unsigned`: JSON text. */
export function closeClientEvent(
  open: string,
  { roomId, unsigned }: { roomId?: string; unsigned?: string },
): string {
  const ofRoom =
    roomId === undefined ? "" : `,"room_id":${JSON.stringify(roomId)}`;
  const besides = unsigned === undefined ? "" : `,"unsigned":${unsigned}`;
  return `${open}${ofRoom}${besides}}`;
}

/** As `openClientEvent`, as an object. */
export function clientEvent(
  rules: RoomRules,
  eventId: string,
  pdu: Pdu,
): JsonObject {
  const event = emptyJsonObject();
  event["content"] = pdu.content;
  event["event_id"] = eventId;
  event["origin_server_ts"] = pdu.origin_server_ts;
  event["sender"] = pdu.sender;
  event["type"] = pdu.type;
  if (pdu.state_key !== undefined) event["state_key"] = pdu.state_key;
  if (pdu.type === "m.room.redaction") {
    placeRedacts(event, pdu.content, redactsOf(rules, pdu));
  }
  return event;
}

/**
 * "Servers should add a `redacts` property to the top level of
 * `m.room.redaction` events", and to the `content` of those of older room
 * versions: each client finds it where it looks.
 */
function placeRedacts(
  event: JsonObject,
  content: JsonObject,
  redacts: string | undefined,
): void {
  if (redacts === undefined) return;
  event["redacts"] = redacts;
  if (content["redacts"] === redacts) return;
  const copy = emptyJsonObject();
  for (const key of Object.keys(content)) copy[key] = content[key]!;
  copy["redacts"] = redacts;
  event["content"] = copy;
}

/** A state event as invites, knocks and spaces show it to those outside of the room. */
export function strippedStateEvent({
  content,
  sender,
  state_key,
  type,
}: Pdu): JsonObject {
  const event = emptyJsonObject();
  event["content"] = content;
  event["sender"] = sender;
  event["state_key"] = state_key ?? "";
  event["type"] = type;
  return event;
}
