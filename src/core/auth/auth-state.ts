import type { Pdu, RoomEvent } from "../event.ts";
import { isJsonObject } from "../json.ts";
import { readPowerLevel, userPowerLevel } from "../power-levels.ts";
import type { RoomRules } from "../room-version.ts";

/** The state event of a type and state key, in the state that an event is judged by. */
export type StateLookup = (
  type: string,
  stateKey: string,
) => RoomEvent | undefined;

/** What the rules ask of a room's state. */
export interface AuthState {
  create: RoomEvent;
  find: StateLookup;
  membershipOf(userId: string): string | undefined;
  joinRule(): string;
  powerOf(userId: string): number;
  levelOf(action: keyof typeof DEFAULT_LEVELS): number;
  requiredLevelOf(event: Pick<Pdu, "type" | "state_key">): number;
}

// The invite level defaults to 0 if unspecified. The kick level, ban level and redact level each
// default to 50 if unspecified. […]
const DEFAULT_LEVELS = {
  invite: 0,
  kick: 50,
  ban: 50,
  redact: 50,
  state_default: 50,
  events_default: 0,
};

export function authStateOf(
  rules: RoomRules,
  create: RoomEvent,
  find: StateLookup,
): AuthState {
  const powerLevels = (): RoomEvent | undefined =>
    find("m.room.power_levels", "");
  const levelOf: AuthState["levelOf"] = (action) =>
    readPowerLevel(rules, powerLevels()?.pdu.content[action]) ??
    DEFAULT_LEVELS[action];
  return {
    create,
    find,
    levelOf,
    membershipOf(userId) {
      const membership = find("m.room.member", userId)?.pdu.content[
        "membership"
      ];
      return typeof membership === "string" ? membership : undefined;
    },
    joinRule() {
      const rule = find("m.room.join_rules", "")?.pdu.content["join_rule"];
      return typeof rule === "string" ? rule : "invite";
    },
    powerOf: (userId) => userPowerLevel(rules, create, powerLevels(), userId),
    requiredLevelOf({ type, state_key: stateKey }) {
      const events = powerLevels()?.pdu.content["events"];
      // The event type is either listed explicitly in the events section or given by either
      // state_default or events_default depending on if the event is a state event or not.
      const listed =
        isJsonObject(events) && Object.hasOwn(events, type)
          ? readPowerLevel(rules, events[type])
          : undefined;
      return (
        listed ??
        levelOf(stateKey === undefined ? "events_default" : "state_default")
      );
    },
  };
}
