import type { StateLookup } from "../../core/auth/check.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import type { RoomRules } from "../../core/room-version.ts";
import type { EventHead } from "../../storage/events.ts";
import type { Proposal } from "./proposal.ts";

/** The entries of state that tell who may redact what others said. */
export const REDACTION_POWER = [
  ["m.room.create", ""],
  ["m.room.power_levels", ""],
] as const;

/** Redacts an event in the commit that brings the redaction. */
export const redactionOf = (
  rules: RoomRules,
  sender: string,
  target: EventHead,
  content: JsonObject,
): Proposal => ({
  draft: {
    type: "m.room.redaction",
    sender,
    content,
    redacts: target.eventId,
  },
  reads: REDACTION_POWER,
  extra: ({ nid }, _at, state) => {
    if (target.sender !== sender && !mayRedactOthers(rules, state, sender))
      throw cannotRedact();
    // Without its create event the room would have no ground: nothing is stripped.
    const isApplied = target.type !== "m.room.create";
    return isApplied
      ? { redactions: [{ targetNid: target.nid, byNid: nid }] }
      : {};
  },
});

export function mayRedactOthers(
  rules: RoomRules,
  state: StateLookup,
  userId: string,
): boolean {
  const create = state("m.room.create", "");
  const levels = state("m.room.power_levels", "");
  const power = userPowerLevel(rules, create, levels, userId);
  return power >= requiredPowerLevel(rules, levels, "redact");
}

export const cannotRedact = (): MatrixError =>
  new MatrixError(
    "M_FORBIDDEN",
    "Your power level does not let you redact the events of others.",
  );
