import type { Pdu, RoomEvent } from "../event.ts";
import {
  requiredPowerLevel,
  userPowerLevel,
  type LevelName,
} from "../power-levels.ts";
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
  levelOf(act: LevelName): number;
  requiredLevelOf(event: Pick<Pdu, "type" | "state_key">): number;
}

export function authStateOf(
  rules: RoomRules,
  create: RoomEvent,
  find: StateLookup,
): AuthState {
  const powerLevels = (): RoomEvent | undefined =>
    find("m.room.power_levels", "");
  return {
    create,
    find,
    levelOf: (act) => requiredPowerLevel(rules, powerLevels(), act),
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
    requiredLevelOf: ({ type, state_key: stateKey }) =>
      requiredPowerLevel(rules, powerLevels(), {
        type,
        isState: stateKey !== undefined,
      }),
  };
}
