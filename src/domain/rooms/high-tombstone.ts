import { isJsonObject, type JsonObject } from "../../core/json.ts";

/**
 * [Version 12] "The power level for sending m.room.tombstone events MUST
 * explicitly be higher than state_default."
 */
export function withHighTombstone(content: JsonObject): JsonObject {
  const events = isJsonObject(content["events"]) ? content["events"] : {};
  const given = events["m.room.tombstone"];
  const usual = content["state_default"];
  const floor = Math.max(150, typeof usual === "number" ? usual + 1 : 0);
  const level = typeof given === "number" ? Math.max(given, floor) : floor;
  return { ...content, events: { ...events, "m.room.tombstone": level } };
}
