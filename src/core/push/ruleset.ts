import type { JsonObject } from "../json.ts";

/**
 * The kinds of push rules, in the order that they are checked. `postcontent` is of
 * MSC4306: it holds rules of the server's alone.
 */
export const pushRuleKinds = [
  "override",
  "content",
  "postcontent",
  "room",
  "sender",
  "underride",
] as const;

export type PushRuleKind = (typeof pushRuleKinds)[number];

export type PushAction = string | JsonObject;

/** As the client-server API writes a rule. */
export interface PushRule {
  rule_id: string;
  default: boolean;
  enabled: boolean;
  actions: PushAction[];
  /** Of `override`, `postcontent` and `underride` rules. */
  conditions?: JsonObject[];
  /** Of `content` rules. */
  pattern?: string;
}

export type PushRuleset = Readonly<Record<PushRuleKind, readonly PushRule[]>>;

export const isPushRuleKind = (kind: string): kind is PushRuleKind =>
  pushRuleKinds.some((known) => known === kind);

/** Actions of old clients that "MUST be ignored, for instance by stripping them". */
export const withoutHistoricalActions = (
  actions: readonly PushAction[],
): PushAction[] =>
  actions.filter((action) => action !== "dont_notify" && action !== "coalesce");
