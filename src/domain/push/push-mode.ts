import {
  defaultPushRules,
  ENCRYPTED_EVENT,
} from "../../core/push/default-rules.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  pushRuleKinds,
  type PushRule,
  type PushRuleset,
} from "../../core/push/ruleset.ts";
import type { PushMode } from "../../storage/push.ts";

/** What a user's rules need in one room, or in all rooms (`""`). */
export interface RoomPushMode {
  roomId: string;
  mode: PushMode;
}

/**
 * How a ruleset departs from the default one, as far as counting goes. Keywords
 * only add to what is counted. Rules for one room leave the other rooms alone.
 */
export function describePushModes(
  ruleset: PushRuleset,
  userId: string,
): RoomPushMode[] {
  const rooms = new Set<string>();
  let everywhere: PushMode | undefined;
  const defaults = defaultPushRules(userId);
  for (const kind of pushRuleKinds) {
    const predefined = new Map(defaults[kind].map((r) => [r.rule_id, r]));
    for (const rule of ruleset[kind]) {
      const standard = predefined.get(rule.rule_id);
      // What that rule adds is pushed and not counted: clients count for themselves what
      // they have decrypted, and half of all clients have switched it on.
      if (rule.rule_id === ENCRYPTED_EVENT) continue;
      if (rule.default && standard) {
        if (effectOf(rule) !== effectOf(standard)) everywhere = "rows";
        continue;
      }
      if (!rule.enabled) continue;
      const roomId = kind === "room" ? rule.rule_id : roomOf(rule);
      if (roomId !== undefined) rooms.add(roomId);
      else if (kind === "content" && rule.actions.includes("notify")) {
        everywhere ??= "keywords";
      } else everywhere = "rows";
    }
  }
  return [
    ...(everywhere ? [{ roomId: "", mode: everywhere }] : []),
    ...[...rooms].map((roomId) => ({ roomId, mode: "rows" as const })),
  ];
}

/** What a rule means for counts; sounds do not matter. */
function effectOf({ enabled, actions }: PushRule): string {
  if (!enabled) return "off";
  if (!actions.includes("notify")) return "silent";
  return isHighlight({ actions }) ? "highlight" : "notify";
}

export const isHighlight = ({ actions }: Pick<PushRule, "actions">): boolean =>
  actions.some(
    (action) =>
      typeof action !== "string" &&
      action["set_tweak"] === "highlight" &&
      (action["value"] ?? true) === true,
  );

/** The one room that a rule's conditions name, if they do. */
function roomOf({ conditions = [] }: PushRule): string | undefined {
  const named = conditions.find(isRoomMatch);
  return named?.pattern;
}

const isRoomMatch = (
  condition: JsonObject,
): condition is JsonObject & { pattern: string } =>
  condition["kind"] === "event_match" &&
  condition["key"] === "room_id" &&
  typeof condition["pattern"] === "string" &&
  !/[*?\0]/.test(condition["pattern"]);
