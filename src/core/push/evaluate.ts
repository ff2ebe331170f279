import type { RoomEvent } from "../event.ts";
import type { JsonObject } from "../json.ts";
import { matchesCondition, type PushContext } from "./conditions.ts";
import { wordPatternOf } from "./event-texts.ts";
import { EventMatching } from "./matching.ts";
import { findProperty } from "./property-path.ts";
import {
  pushRuleKinds,
  withoutHistoricalActions,
  type PushAction,
  type PushRule,
  type PushRuleKind,
  type PushRuleset,
} from "./ruleset.ts";

export interface PushOutcome {
  notify: boolean;
  highlight: boolean;
  actions: PushAction[];
}

/** What the first rule that matches says; nothing if no rule does. */
export function evaluatePushRules(
  ruleset: PushRuleset,
  event: Pick<RoomEvent, "eventId" | "roomId" | "pdu">,
  context: PushContext,
): PushOutcome {
  // Homeservers MUST NOT notify the Push Gateway for events that the user has sent themselves.
  if (event.pdu.sender === context.userId) return outcomeOf([]);
  const properties = propertiesOf(event);
  const matching = context.matching ?? new EventMatching();
  const inBody = bodyMatcher(properties, context.userId, matching);
  const holds = (condition: JsonObject) =>
    matchesCondition(condition, properties, context, matching);
  for (const kind of pushRuleKinds) {
    for (const rule of ruleset[kind]) {
      if (matchesRule(kind, rule, properties, inBody, holds)) {
        return outcomeOf(withoutHistoricalActions(rule.actions));
      }
    }
  }
  // If no rules match an event, the homeserver MUST NOT notify the Push Gateway for that event.
  return outcomeOf([]);
}

/** The event as clients see it, whatever its room version leaves out of a PDU. */
const propertiesOf = ({
  eventId,
  roomId,
  pdu,
}: Pick<RoomEvent, "eventId" | "roomId" | "pdu">): JsonObject => ({
  event_id: eventId,
  room_id: roomId,
  type: pdu.type,
  sender: pdu.sender,
  origin_server_ts: pdu.origin_server_ts,
  content: pdu.content,
  ...(pdu.state_key === undefined ? {} : { state_key: pdu.state_key }),
  ...(pdu.redacts === undefined ? {} : { redacts: pdu.redacts }),
});

/** Matches patterns of content rules, of which a user may have thousands. */
function bodyMatcher(
  event: JsonObject,
  userId: string,
  matching: EventMatching,
): (pattern: string) => boolean {
  const body = findProperty(event, "content.body");
  if (typeof body !== "string") return () => false;
  const work = matching.workFor(userId);
  return (pattern) =>
    work.take(pattern.length) &&
    matching.texts.of(body).matchesInWords(wordPatternOf(pattern), work);
}

function matchesRule(
  kind: PushRuleKind,
  rule: PushRule,
  event: JsonObject,
  inBody: (pattern: string) => boolean,
  holds: (condition: JsonObject) => boolean,
): boolean {
  // Disabled rules never match.
  if (!rule.enabled) return false;
  switch (kind) {
    case "override":
    case "postcontent":
    case "underride":
      // All conditions must hold true for an event in order for the rule to match. A rule with
      // no conditions always matches.
      return (rule.conditions ?? []).every(holds);
    case "content":
      return rule.pattern !== undefined && inBody(rule.pattern);
    case "room":
      return event["room_id"] === rule.rule_id;
    case "sender":
      return event["sender"] === rule.rule_id;
  }
}

function outcomeOf(actions: PushAction[]): PushOutcome {
  const notify = actions.includes("notify");
  const highlight = actions.some(
    (action) =>
      typeof action !== "string" &&
      action["set_tweak"] === "highlight" &&
      // If a highlight tweak is given with no value, its value is defined to be true.
      (action["value"] === undefined || action["value"] === true),
  );
  return { notify, highlight: notify && highlight, actions };
}
