import type { Settings } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { readPowerLevel } from "../../core/power-levels.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { isServerAllowed, parseServerAcl } from "../../core/server-acl.ts";

const LEVELS = [
  "ban",
  "events_default",
  "invite",
  "kick",
  "redact",
  "state_default",
  "users_default",
];

/**
 * What the specification says of the content of state that a client sets, where
 * auth would refuse it later or other servers would stumble over it.
 */
export function assertStateContent(
  { serverName }: Pick<Settings, "serverName">,
  rules: RoomRules,
  type: string,
  content: JsonObject,
): void {
  if (rules.strictCanonicalJson) canonicalJson(content);
  if (type === "m.room.create") {
    throw bad("A room has one create event, which cannot be replaced.");
  }
  if (type === "m.room.redaction") throw bad("A redaction is no state.");
  if (type === "m.room.server_acl" && !letsIn(content, serverName)) {
    throw bad("This would shut out the server that the room is on.");
  }
  if (type === "m.room.power_levels") assertPowerLevels(rules, content);
}

const letsIn = (content: JsonObject, serverName: string): boolean =>
  isServerAllowed(parseServerAcl(content), serverName);

export function assertPowerLevels(rules: RoomRules, content: JsonObject): void {
  const isLevel = (value: JsonValue): boolean => {
    const level = readPowerLevel(rules, value);
    return level !== undefined && Number.isSafeInteger(level);
  };
  for (const name of LEVELS) {
    const value = content[name];
    if (value !== undefined && !isLevel(value)) {
      throw bad(`"${name}" must be an integer.`);
    }
  }
  for (const name of ["events", "notifications", "users"]) {
    const levels = content[name];
    if (levels === undefined) continue;
    if (!isJsonObject(levels) || !Object.values(levels).every(isLevel)) {
      throw bad(`"${name}" must be an object of integers.`);
    }
    if (name === "users" && !Object.keys(levels).every(isUserId)) {
      throw bad('"users" must be an object by user ids.');
    }
  }
}

const bad = (message: string): MatrixError =>
  new MatrixError("M_BAD_JSON", message);
