import type { RoomEvent } from "../event.ts";
import { isUserId } from "../ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { creatorsOf, readPowerLevel } from "../power-levels.ts";
import type { RoomRules } from "../room-version.ts";
import type { AuthState } from "./auth-state.ts";
import { rejected, type Verdict } from "./verdict.ts";

const LEVELS = [
  "users_default",
  "events_default",
  "state_default",
  "ban",
  "redact",
  "kick",
  "invite",
] as const;

/** "If type is m.room.power_levels". */
export function checkPowerLevels(
  rules: RoomRules,
  event: RoomEvent,
  auth: AuthState,
): Verdict {
  const { content, sender } = event.pdu;
  const format = checkFormat(rules, content, auth);
  if (format !== "allowed") return format;
  // If there is no previous m.room.power_levels event in the room, allow.
  const previous = auth.find("m.room.power_levels", "")?.pdu.content;
  if (previous === undefined) return "allowed";

  const { integerPowerLevels, limitNotificationsPowerLevels } =
    rules.authorization;
  const read = (value: JsonValue | undefined): number | undefined =>
    readPowerLevel(rules, value);
  const power = auth.powerOf(sender);
  const changesIn = (
    name: string,
    before: JsonObject,
    after: JsonObject,
    keys: Iterable<string>,
  ): Verdict => {
    for (const key of keys) {
      const isGiven = Object.hasOwn(after, key);
      const current = read(
        Object.hasOwn(before, key) ? before[key] : undefined,
      );
      const next = read(isGiven ? after[key] : undefined);
      if (isGiven && next === undefined && !integerPowerLevels) {
        return rejected(`The power level of ${key} is not a number.`);
      }
      if (current === next) continue;
      // For each entry being changed in, or removed from, the users property, other than the
      // sender's own entry: If the current value is greater than or equal to the sender's
      // current power level, reject.
      if (name === "users" && key !== sender) {
        if (current !== undefined && current >= power) {
          return rejected(`The sender may not change the power of ${key}.`);
        }
      }
      // [For a property, or an entry being changed in, or removed from, events or notifications:]
      // If the current value is greater than the sender's current power level, reject.
      if (current !== undefined && current > power) {
        return rejected(`The sender may not change the level of ${key}.`);
      }
      // [For a property, or an entry being added to, or changed in, any of them:] If the new
      // value is greater than the sender's current power level, reject.
      if (next !== undefined && next > power) {
        return rejected(`The level of ${key} is above the sender's own.`);
      }
    }
    return "allowed";
  };

  // For the properties users_default, events_default, state_default, ban, redact, kick, invite
  // check if they were added, changed or removed.
  const properties = changesIn("", previous, content, LEVELS);
  if (properties !== "allowed") return properties;
  // [The notifications property: version 6 on.]
  for (const name of limitNotificationsPowerLevels
    ? ["events", "notifications", "users"]
    : ["events", "users"]) {
    const before = objectOf(previous[name]);
    const after = objectOf(content[name]);
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    const entries = changesIn(name, before, after, keys);
    if (entries !== "allowed") return entries;
  }
  // Otherwise, allow.
  return "allowed";
}

const objectOf = (value: JsonValue | undefined): JsonObject =>
  isJsonObject(value) ? value : {};

function checkFormat(
  rules: RoomRules,
  content: JsonObject,
  auth: AuthState,
): Verdict {
  const { integerPowerLevels, explicitlyPrivilegedCreators } =
    rules.authorization;
  if (integerPowerLevels) {
    // [Version 10 on] If any of the properties users_default, events_default, state_default,
    // ban, redact, kick, or invite in content are present and not an integer, reject.
    for (const name of LEVELS) {
      if (content[name] !== undefined && !Number.isSafeInteger(content[name])) {
        return rejected(`${name} is not an integer.`);
      }
    }
    // [Version 10 on] If either of the properties events or notifications in content are
    // present and not an object with values that are integers, reject.
    for (const name of ["events", "notifications"]) {
      const levels = content[name];
      if (levels === undefined) continue;
      if (
        !isJsonObject(levels) ||
        !Object.values(levels).every(Number.isSafeInteger)
      ) {
        return rejected(`${name} does not hold integers only.`);
      }
    }
  }
  // If the users property in content is not an object with keys that are valid user IDs with
  // values that are integers (or [before version 10] a string that is an integer), reject.
  const { users } = content;
  if (users === undefined) return "allowed";
  if (!isJsonObject(users)) return rejected("users is not an object.");
  for (const [user, level] of Object.entries(users)) {
    if (!isUserId(user)) return rejected(`${user} is not a user id.`);
    if (readPowerLevel(rules, level) === undefined) {
      return rejected(`The power level of ${user} is not an integer.`);
    }
  }
  // [Version 12] If the users property in content contains the sender of the m.room.create
  // event or any of the additional_creators array (if present), reject.
  if (explicitlyPrivilegedCreators) {
    for (const creator of creatorsOf(rules, auth.create)) {
      if (Object.hasOwn(users, creator)) {
        return rejected(
          "The room's creators have no power level of their own.",
        );
      }
    }
  }
  return "allowed";
}
