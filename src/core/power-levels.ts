import type { RoomEvent } from "./event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomRules } from "./room-version.ts";

/** The level of a user in a room that has no power levels, if the user created it. */
const CREATOR_LEVEL = 100;

const DEFAULT_LEVELS = {
  ban: 50,
  events_default: 0,
  invite: 0,
  kick: 50,
  redact: 50,
  state_default: 50,
  users_default: 0,
};

export type LevelName = keyof typeof DEFAULT_LEVELS;

const INTEGER_TEXT = /^\s*[+-]?[0-9]+\s*$/;

/**
 * One value of a power levels event; undefined if it is none. Room versions
 * before 10 also take floats, truncated, and integers as strings.
 */
export function readPowerLevel(
  { authorization }: RoomRules,
  value: JsonValue | undefined,
): number | undefined {
  if (typeof value === "number") {
    if (authorization.integerPowerLevels) {
      return Number.isInteger(value) ? value : undefined;
    }
    return Number.isFinite(value) ? Math.trunc(value) : undefined;
  }
  if (
    typeof value === "string" &&
    !authorization.integerPowerLevels &&
    INTEGER_TEXT.test(value)
  ) {
    const level = Number(value);
    return Number.isFinite(level) ? level : undefined;
  }
  return undefined;
}

/** Who created the room: those who have power before there are power levels. */
export function creatorsOf(
  { authorization }: RoomRules,
  { pdu }: Pick<RoomEvent, "pdu">,
): string[] {
  const { creator, additional_creators: additional } = pdu.content;
  if (!authorization.creatorFromSender) {
    return typeof creator === "string" ? [creator] : [];
  }
  return authorization.additionalCreators && Array.isArray(additional)
    ? [pdu.sender, ...additional.filter((user) => typeof user === "string")]
    : [pdu.sender];
}

/**
 * A user's power, from the room's create event and its power levels event, if
 * any. Infinite for the creators of rooms that privilege them.
 */
export function userPowerLevel(
  rules: RoomRules,
  create: Pick<RoomEvent, "pdu"> | undefined,
  powerLevels: Pick<RoomEvent, "pdu"> | undefined,
  userId: string,
): number {
  const isCreator = (): boolean =>
    create !== undefined && creatorsOf(rules, create).includes(userId);
  if (rules.authorization.explicitlyPrivilegedCreators && isCreator()) {
    return Infinity;
  }
  if (powerLevels === undefined) return isCreator() ? CREATOR_LEVEL : 0;
  const { content } = powerLevels.pdu;
  return (
    readPowerLevel(rules, findOwn(content["users"], userId)) ??
    namedLevel(rules, content, "users_default")
  );
}

/** The power that an act takes, or that sending an event of a type takes. */
export function requiredPowerLevel(
  rules: RoomRules,
  powerLevels: RoomEvent | undefined,
  act: LevelName | { type: string; isState: boolean },
): number {
  const content = powerLevels?.pdu.content;
  if (typeof act === "string") return namedLevel(rules, content, act);
  return (
    readPowerLevel(rules, findOwn(content?.["events"], act.type)) ??
    namedLevel(rules, content, act.isState ? "state_default" : "events_default")
  );
}

const namedLevel = (
  rules: RoomRules,
  content: JsonObject | undefined,
  name: LevelName,
): number => readPowerLevel(rules, content?.[name]) ?? DEFAULT_LEVELS[name];

const findOwn = (
  object: JsonValue | undefined,
  key: string,
): JsonValue | undefined =>
  isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;

/** A power levels event's values as numbers, for those who read many of them. */
export interface PowerLevels {
  levels: Readonly<Record<LevelName, number>>;
  users: ReadonlyMap<string, number>;
  events: ReadonlyMap<string, number>;
  notifications: ReadonlyMap<string, number>;
}

/** Values that are no levels are left out, as if they were not there. */
export function parsePowerLevels(
  rules: RoomRules,
  content: JsonObject | undefined,
): PowerLevels {
  const mapOf = (value: JsonValue | undefined): Map<string, number> => {
    const levels = new Map<string, number>();
    if (!isJsonObject(value)) return levels;
    for (const [key, item] of Object.entries(value)) {
      const level = readPowerLevel(rules, item);
      if (level !== undefined) levels.set(key, level);
    }
    return levels;
  };
  const named = (name: LevelName): number => namedLevel(rules, content, name);
  return {
    levels: {
      ban: named("ban"),
      events_default: named("events_default"),
      invite: named("invite"),
      kick: named("kick"),
      redact: named("redact"),
      state_default: named("state_default"),
      users_default: named("users_default"),
    },
    users: mapOf(content?.["users"]),
    events: mapOf(content?.["events"]),
    notifications: mapOf(content?.["notifications"]),
  };
}
