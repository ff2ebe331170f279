import { Secret } from "../util/secret.ts";
import type { Fault } from "./fault.ts";
import type { Setting } from "./leaves.ts";

/** By which commands ask a server; nothing is set by it. */
const ADMIN_TOKEN = "MYELIN_ADMIN_TOKEN";

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "MYELIN_";
/** Keys are no settings: they lie in files of the data folder, or here. */
const SECRETS: ReadonlyMap<string, string> = new Map([
  ["MYELIN_KEYS_MASTER", "master"],
  ["MYELIN_KEYS_PEPPER", "pepper"],
  ["MYELIN_KEYS_SIGNING", "signing"],
  ["MYELIN_KEYS_AUDIT", "audit"],
]);

/** Raw values by setting, from the variables that are set and not empty. */
export function readEnvironment(
  settings: readonly Setting[],
  environment: Environment,
): { values: Map<Setting, unknown>; faults: Fault[] } {
  const byVariable = new Map(settings.map((s) => [s.variable, s]));
  const values = new Map<Setting, unknown>();
  const faults: Fault[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    const isSetting =
      variable.startsWith(PREFIX) &&
      variable !== ADMIN_TOKEN &&
      !SECRETS.has(variable);
    if (!isSetting) continue;
    const setting = byVariable.get(variable);
    if (setting === undefined)
      faults.push({ path: variable, problem: "is not a known setting." });
    else if (text !== undefined && text !== "")
      values.set(setting, parseText(setting, text));
  }
  return { values, faults };
}

/** The keys that the environment gives, by name. */
export function readSecrets(
  environment: Environment,
): ReadonlyMap<string, Secret> {
  const secrets = new Map<string, Secret>();
  for (const [variable, name] of SECRETS) {
    const text = environment[variable];
    if (text) secrets.set(name, new Secret(text));
  }
  return secrets;
}

/** What cannot be read as its type stays text, for the check to report. */
function parseText({ leaf }: Setting, text: string): unknown {
  switch (leaf.type) {
    case "string":
      return text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "integer":
    case "number":
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case "array":
      return text.split(",").map((part) => part.trim());
  }
}
