import type {
  Condition,
  PolicyAction,
  PolicyDocument,
  Term,
} from "./document.ts";

/** The conditions within one, itself first. */
export function* walkConditions(condition: Condition): Generator<Condition> {
  yield condition;
  if ("all" in condition)
    for (const part of condition.all) yield* walkConditions(part);
  else if ("any" in condition)
    for (const part of condition.any) yield* walkConditions(part);
  else if ("not" in condition) yield* walkConditions(condition.not);
}

export function* conditionsFor(
  { rules }: PolicyDocument,
  isMeant: (action: PolicyAction) => boolean = () => true,
): Generator<Condition> {
  for (const { actions, when } of rules)
    if (when && actions.some(isMeant)) yield* walkConditions(when);
}

export const termsOf = (condition: Condition): readonly Term[] => {
  if ("eq" in condition) return condition.eq;
  if ("in" in condition) return condition.in;
  if ("gte" in condition) return condition.gte;
  return [];
};

/** Which facts some documents ask for when they decide on an action. */
export interface WantedFacts {
  /** Attributes of what is acted on. */
  resource: ReadonlySet<string>;
  /** Whether the device is asked for. */
  device: boolean;
}

export function factsWantedBy(
  documents: readonly PolicyDocument[],
  isMeant: (action: PolicyAction) => boolean,
): WantedFacts {
  const resource = new Set<string>();
  let device = false;
  for (const document of documents)
    for (const condition of conditionsFor(document, isMeant))
      for (const term of termsOf(condition)) {
        if (typeof term !== "object") continue;
        if ("resource" in term) resource.add(term.resource);
        else if ("env" in term) device = true;
      }
  return { resource, device };
}
