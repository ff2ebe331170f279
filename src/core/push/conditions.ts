import type { JsonObject, JsonValue } from "../json.ts";
import { wordPatternOf } from "./event-texts.ts";
import { EventMatching } from "./matching.ts";
import { findProperty } from "./property-path.ts";
import { LEAST_STEPS, type Work } from "./work.ts";

/** What conditions look at besides the event. */
export interface PushContext {
  /** Whose rules these are. */
  userId: string;
  /** The user's display name in the room, for stored rules that still ask for it. */
  displayName?: string;
  /** How many members have joined the room. */
  memberCount: number;
  senderPower: number;
  /** `notifications` of the room's power levels. */
  notificationLevels: ReadonlyMap<string, number>;
  /** Whether the user follows the thread that the event is in; undefined where it is in none. */
  followsThread?: boolean | undefined;
  /** Where the event is matched with the rules of others too. */
  matching?: EventMatching | undefined;
}

/** MSC4306, while it is not in the specification. */
export const THREAD_SUBSCRIPTION = "io.element.msc4306.thread_subscription";

const DEFAULT_NOTIFICATION_LEVEL = 50;

/** Unrecognised conditions do not match any event. */
export function matchesCondition(
  condition: JsonObject,
  event: JsonObject,
  context: PushContext,
  matching = context.matching ?? new EventMatching(),
): boolean {
  const kind: unknown = condition["kind"];
  const work = matching.workFor(context.userId);
  const propertyOf = (key: JsonValue | undefined): JsonValue | undefined =>
    typeof key === "string" && work.take(key.length + LEAST_STEPS)
      ? findProperty(event, key)
      : undefined;
  switch (kind) {
    case "event_match":
      return eventMatches(condition, propertyOf, matching, work);
    case "event_property_is": {
      const { key, value } = condition;
      return isScalar(value) && propertyOf(key) === value;
    }
    case "event_property_contains": {
      const { key, value } = condition;
      const property = propertyOf(key);
      return (
        isScalar(value) &&
        Array.isArray(property) &&
        work.take(property.length) &&
        property.includes(value)
      );
    }
    case "contains_display_name":
      return containsDisplayName(
        propertyOf("content.body"),
        context.displayName,
        matching,
        work,
      );
    case "room_member_count":
      return isMemberCount(condition["is"], context.memberCount);
    case "sender_notification_permission": {
      const { key } = condition;
      if (typeof key !== "string") return false;
      const required =
        context.notificationLevels.get(key) ?? DEFAULT_NOTIFICATION_LEVEL;
      return context.senderPower >= required;
    }
    case THREAD_SUBSCRIPTION: {
      // The event is part of a thread, and the user is subscribed to it, or is not.
      const { subscribed } = condition;
      return (
        typeof subscribed === "boolean" && subscribed === context.followsThread
      );
    }
    // MSC3931: no room version has features yet that conditions could name.
    case "room_version_supports":
    case "org.matrix.msc3931.room_version_supports":
    default:
      return false;
  }
}

/** Strings, integers of canonical JSON, booleans and null: all that conditions compare. */
const isScalar = (
  value: JsonValue | undefined,
): value is string | number | boolean | null =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  Number.isSafeInteger(value);

function eventMatches(
  { key, pattern }: JsonObject,
  propertyOf: (key: JsonValue | undefined) => JsonValue | undefined,
  { texts }: EventMatching,
  work: Work,
): boolean {
  const value = propertyOf(key);
  // If the property specified by key is completely absent from the event, or does not have a
  // string value, then the condition will not match, even if pattern is *.
  if (typeof value !== "string" || typeof pattern !== "string") return false;
  // As a special case, if key is content.body, then pattern must instead match any substring
  // of the value of the property which starts and ends at a word boundary.
  return key === "content.body"
    ? work.take(pattern.length) &&
        texts.of(value).matchesInWords(wordPatternOf(pattern), work)
    : texts.of(value).matches(pattern, work);
}

function containsDisplayName(
  body: JsonValue | undefined,
  displayName: string | undefined,
  { texts }: EventMatching,
  work: Work,
): boolean {
  if (typeof body !== "string" || !displayName) return false;
  // A name is no pattern: a * in it matches one character, not any number of them.
  const pattern = wordPatternOf(displayName.replaceAll(/[*]/g, "?"));
  return texts.of(body).matchesInWords(pattern, work);
}

function isMemberCount(is: JsonValue | undefined, count: number): boolean {
  // A decimal integer optionally prefixed by one of, ==, <, >, >= or <=.
  const parts =
    typeof is === "string" ? /^(==|<=|>=|<|>)?([0-9]{1,15})$/.exec(is) : null;
  if (parts === null) return false;
  const wanted = Number(parts[2]);
  switch (parts[1] ?? "==") {
    case "<":
      return count < wanted;
    case ">":
      return count > wanted;
    case "<=":
      return count <= wanted;
    case ">=":
      return count >= wanted;
    default:
      return count === wanted;
  }
}
