import { asJson, type Pdu } from "./event.ts";
import { carryNumberTokens } from "./json-numbers.ts";
import {
  emptyJsonObject,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "./json.ts";
import type { KeepTree, RedactionRules, RoomRules } from "./room-version.ts";

export interface Divided {
  /** What redaction keeps: the redacted event. */
  kept: JsonObject;
  /** What redaction strips, wherever it stood; no `unsigned`. */
  stripped: JsonObject | undefined;
}

/** The event after the redaction algorithm of its room version; no `unsigned`. */
export const redact = (rules: RoomRules, pdu: Pdu): Pdu =>
  divideEvent(rules.redaction, asJson(pdu)).kept as unknown as Pdu;

const KEEPS_NOTHING: KeepTree = new Map();

/** Divides an event into what a redaction keeps and what it strips. */
export function divideEvent(
  { topLevel, content }: RedactionRules,
  event: JsonObject,
): Divided {
  const { type } = event;
  const kept = typeof type === "string" ? content.get(type) : undefined;
  const ofContent = kept === "all" ? true : (kept ?? KEEPS_NOTHING);
  return divide(
    event,
    (key) =>
      key === "content" ? ofContent : topLevel.has(key) ? true : undefined,
    "unsigned",
  );
}

function divide(
  object: JsonObject,
  ruleOf: (key: string) => true | KeepTree | undefined,
  dropped?: string,
): Divided {
  const kept = emptyJsonObject();
  let stripped: JsonObject | undefined;
  const strip = (key: string, value: JsonValue): void => {
    stripped ??= emptyJsonObject();
    stripped[key] = value;
  };
  for (const key of Object.keys(object)) {
    if (key === dropped) continue;
    const value = object[key]!;
    const rule = ruleOf(key);
    if (rule === true) {
      kept[key] = value;
    } else if (rule !== undefined && isJsonObject(value)) {
      const inner = divide(value, (name) => rule.get(name));
      kept[key] = inner.kept;
      if (inner.stripped !== undefined) strip(key, inner.stripped);
    } else {
      strip(key, value);
    }
  }
  carryNumberTokens(object, kept);
  if (stripped !== undefined) carryNumberTokens(object, stripped);
  return { kept, stripped };
}

/** The event that a redaction names, at whichever place its room version has it. */
export function redactsOf(
  rules: RoomRules,
  { content, redacts }: Pick<Pdu, "content" | "redacts">,
): string | undefined {
  const named = rules.redaction.redactsInContent ? content["redacts"] : redacts;
  return typeof named === "string" ? named : undefined;
}
