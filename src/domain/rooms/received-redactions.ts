import { serverNameOf } from "../../core/ids.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import { ACCEPTED, type WriteRows } from "../../storage/write.ts";
import type { Ground } from "./receive-ground.ts";
import type { ReceiveRun } from "./receive-run.ts";
import { listRedacted } from "./redacted.ts";
import type { StateSet } from "./state-set.ts";

interface Redaction {
  nid: number;
  sender: string;
  target: string;
  before: StateSet;
}

/**
 * What a run's redactions strip, and what was redacted before it came: the two
 * wait for each other.
 * https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions
 */
export function listRedactions(run: ReceiveRun): WriteRows["redactions"] {
  const { ground } = run;
  return [...listStored(ground), ...listPlaced(run)].flatMap((redaction) => {
    const target = findTarget(run, redaction.target);
    // Without its create event the room would have no ground: nothing is stripped.
    const isApplied =
      target !== undefined &&
      target.type !== "m.room.create" &&
      mayRedact(ground, redaction, target.sender);
    return isApplied ? [{ targetNid: target.nid, byNid: redaction.nid }] : [];
  });
}

function listStored({ redactions, states }: Ground): Redaction[] {
  return redactions.flatMap(({ nid, sender, redacts, snapshotId }) => {
    const before = states.get(snapshotId ?? 0);
    return before && redacts !== null
      ? [{ nid, sender, target: redacts, before }]
      : [];
  });
}

function listPlaced({ ground, placed }: ReceiveRun): Redaction[] {
  return [...placed.values()].flatMap(({ nid, event, status, before }) => {
    const [target] = listRedacted(ground.room.rules, event.pdu);
    return status === ACCEPTED && target !== undefined
      ? [{ nid, sender: event.pdu.sender, target, before }]
      : [];
  });
}

function findTarget(
  { ground, placed }: ReceiveRun,
  eventId: string,
): { nid: number; sender: string; type: string } | undefined {
  const here = placed.get(eventId);
  if (here) {
    const { sender, type } = here.event.pdu;
    return { nid: here.nid, sender, type };
  }
  const head = ground.heads.get(eventId);
  return head?.roomNid === ground.room.roomNid ? head : undefined;
}

/** "The power level of the redaction event's sender", or "the domain of the redaction event's sender matches". */
function mayRedact(
  { index, room: { rules } }: Ground,
  { sender, before }: Redaction,
  author: string,
): boolean {
  // In room versions 1 and 2 auth has asked this already.
  if (rules.authorization.redactionAuth) return true;
  if (serverNameOf(sender) === serverNameOf(author)) return true;
  const create = index.at(before, "m.room.create", "")?.event;
  const levels = index.at(before, "m.room.power_levels", "")?.event;
  return (
    userPowerLevel(rules, create, levels, sender) >=
    requiredPowerLevel(rules, levels, "redact")
  );
}
