import { isUserId } from "../../core/ids.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { readPowerLevel } from "../../core/power-levels.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { withHighTombstone } from "./high-tombstone.ts";

const LEVELS = [
  "ban",
  "events_default",
  "invite",
  "kick",
  "redact",
  "state_default",
  "users_default",
];

interface Upgrade {
  from: RoomRules;
  to: RoomRules;
  /** Who had all power in the old room, and who has it in the new one. */
  oldCreators: readonly string[];
  newCreators: readonly string[];
}

/** The old room's power levels in the words of the new room's version. */
export function upgradedPowerLevels(
  content: JsonObject,
  { from, to, oldCreators, newCreators }: Upgrade,
): JsonObject {
  const next: JsonObject = {};
  for (const name of LEVELS) {
    const level = readPowerLevel(from, content[name]);
    if (level !== undefined) next[name] = level;
  }
  for (const name of ["events", "notifications", "users"]) {
    if (isJsonObject(content[name])) next[name] = levelsIn(from, content[name]);
  }
  const users = isJsonObject(next["users"]) ? { ...next["users"] } : {};
  const arePrivileged = to.authorization.explicitlyPrivilegedCreators;
  if (from.authorization.explicitlyPrivilegedCreators && !arePrivileged) {
    for (const userId of [...oldCreators, ...newCreators]) users[userId] = 100;
  }
  if (arePrivileged) for (const userId of newCreators) delete users[userId];
  next["users"] = users;
  return arePrivileged ? withHighTombstone(next) : next;
}

const levelsIn = (rules: RoomRules, levels: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(levels).flatMap(([name, value]) => {
      const level = readPowerLevel(rules, value);
      const isFit = !name.startsWith("@") || isUserId(name);
      return level === undefined || !isFit ? [] : [[name, level]];
    }),
  );

/** The old room's levels once it has been replaced: only who could moderate may still speak. */
export function silencedPowerLevels(
  rules: RoomRules,
  content: JsonObject,
): JsonObject {
  const usual = readPowerLevel(rules, content["users_default"]) ?? 0;
  const floor = Math.max(50, usual + 1);
  const raised = (name: string): number =>
    Math.max(floor, readPowerLevel(rules, content[name]) ?? 0);
  return {
    ...content,
    events_default: raised("events_default"),
    invite: raised("invite"),
  };
}
