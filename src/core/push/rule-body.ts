import { MatrixError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { PushAction, PushRule, PushRuleKind } from "./ruleset.ts";
import { withoutHistoricalActions } from "./ruleset.ts";

const MAX_RULE_ID_BYTES = 300;
const MAX_PATTERN_BYTES = 1024;
const KNOWN_ACTIONS = ["notify", "dont_notify", "coalesce"];

/** @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE */
export function assertPushRuleId(ruleId: string): void {
  // If the string starts with a dot ("."), the request MUST be rejected as this is reserved
  // for server-default rules. Slashes ("/") and backslashes ("\\") are also not allowed.
  if (ruleId === "" || ruleId.startsWith(".") || /[/\\]/.test(ruleId)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A push rule's id cannot be empty, start with a dot, or contain slashes or backslashes.",
    );
  }
  assertBytes(ruleId, MAX_RULE_ID_BYTES, "A push rule's id");
}

/** What a client says of a rule of this kind; keys of other kinds are ignored. */
export function parsePushRuleBody(
  kind: PushRuleKind,
  body: JsonObject,
): Pick<PushRule, "actions" | "conditions" | "pattern"> {
  // Servers MUST ensure that clients MUST NOT be able to create custom rules with this kind.
  if (kind === "postcontent") {
    throw invalid("Push rules of this kind are the server's alone.");
  }
  const actions = parsePushActions(body["actions"]);
  switch (kind) {
    case "override":
    case "underride":
      return { actions, conditions: parseConditions(body["conditions"]) };
    case "content":
      return { actions, pattern: parsePattern(body["pattern"]) };
    case "room":
    case "sender":
      return { actions };
  }
}

/** @throws MatrixError M_MISSING_PARAM, M_INVALID_PARAM */
export function parsePushActions(value: JsonValue | undefined): PushAction[] {
  if (value === undefined) {
    throw new MatrixError("M_MISSING_PARAM", "The actions are missing.");
  }
  if (!Array.isArray(value)) throw invalid("The actions must be a list.");
  const actions = value.map((action): PushAction => {
    if (typeof action === "string" && KNOWN_ACTIONS.includes(action)) {
      return action;
    }
    if (isObject(action) && typeof action["set_tweak"] === "string") {
      return action;
    }
    throw invalid("An action is not one of the specification.");
  });
  return withoutHistoricalActions(actions);
}

function parseConditions(value: JsonValue | undefined): JsonObject[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid("The conditions must be a list.");
  return value.map((condition) => {
    if (!isObject(condition) || typeof condition["kind"] !== "string") {
      throw invalid("A condition must be an object with a kind.");
    }
    if (typeof condition["pattern"] === "string") {
      assertBytes(condition["pattern"], MAX_PATTERN_BYTES, "A pattern");
    }
    return condition;
  });
}

function parsePattern(value: JsonValue | undefined): string {
  if (value === undefined) {
    throw new MatrixError("M_MISSING_PARAM", "The pattern is missing.");
  }
  if (typeof value !== "string") throw invalid("The pattern must be a string.");
  assertBytes(value, MAX_PATTERN_BYTES, "A pattern");
  return value;
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);

function assertBytes(text: string, limit: number, what: string): void {
  if (Buffer.byteLength(text) > limit) {
    throw new MatrixError(
      "M_TOO_LARGE",
      `${what} cannot be longer than ${limit} bytes.`,
    );
  }
}
