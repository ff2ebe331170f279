import type { JsonObject, JsonValue } from "../../../core/json.ts";
import {
  ROOM_CLASSES,
  type RetentionPolicy,
  type RetentionScope,
  type RoomClass,
} from "./policy.ts";

/** What of a room policies go by. */
export interface RetainedRoom {
  roomId: string;
  classes: ReadonlySet<RoomClass>;
  /** Those that it is within, through others too. */
  spaces: ReadonlySet<string>;
  /** Its `m.room.retention`. */
  own: JsonObject | undefined;
}

export interface NamedPolicy extends RetentionPolicy {
  policyId: string;
}

/** What holds for a room: the policy, and how long things are kept. */
export interface Retention {
  policy: NamedPolicy;
  /** Null for ever. */
  maxMs: number | null;
}

/**
 * The narrowest policy of a room wins: of the room, of a space, of a class in the order of
 * `ROOM_CLASSES`, of the server. Of two that are equally narrow the shorter one does, then
 * the first by name.
 */
export function choosePolicy(
  policies: readonly NamedPolicy[],
  room: RetainedRoom,
): Retention | undefined {
  let best: { policy: NamedPolicy; width: number } | undefined;
  for (const policy of policies) {
    const width = widthOf(policy.scope, room);
    if (width === undefined) continue;
    if (!best || isBefore({ policy, width }, best)) best = { policy, width };
  }
  if (!best) return undefined;
  const { policy } = best;
  return { policy, maxMs: lifetimeOf(policy, room.own) };
}

/** Undefined where the policy is not of the room. */
function widthOf(
  { kind, id }: RetentionScope,
  room: RetainedRoom,
): number | undefined {
  switch (kind) {
    case "room":
      return id === room.roomId ? 0 : undefined;
    case "space":
      return id === room.roomId || room.spaces.has(id) ? 1 : undefined;
    case "class":
      return room.classes.has(id as RoomClass)
        ? 2 + ROOM_CLASSES.indexOf(id as RoomClass)
        : undefined;
    case "server":
      return 100;
    default:
      return undefined;
  }
}

function isBefore(
  one: { policy: NamedPolicy; width: number },
  other: { policy: NamedPolicy; width: number },
): boolean {
  if (one.width !== other.width) return one.width < other.width;
  const [a, b] = [one, other].map(({ policy }) => policy.maxMs ?? Infinity);
  if (a !== b) return a! < b!;
  return one.policy.policyId < other.policy.policyId;
}

/** Shorter than this nothing is kept, whatever a room asks for. */
export const SHORTEST_MS = 60_000;

/** What the room asks for, within what the policy allows. */
export function lifetimeOf(
  { minMs, maxMs }: Pick<RetentionPolicy, "minMs" | "maxMs">,
  own: JsonObject | undefined,
): number | null {
  const asked = ownLifetimes(own);
  const longest = maxMs ?? Infinity;
  const wanted = Math.max(
    ...[minMs ?? 0, asked.min, SHORTEST_MS],
    Math.min(asked.max, longest),
  );
  const lifetime = Math.min(longest, wanted);
  return lifetime === Infinity ? null : lifetime;
}

/** MSC1763. What is malformed says nothing. */
function ownLifetimes(own: JsonObject | undefined): {
  min: number;
  max: number;
} {
  const min = timeOf(own?.["min_lifetime"]) ?? 0;
  const max = timeOf(own?.["max_lifetime"]) ?? Infinity;
  return min <= max ? { min, max } : { min: 0, max: Infinity };
}

const timeOf = (value: JsonValue | undefined): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : undefined;
