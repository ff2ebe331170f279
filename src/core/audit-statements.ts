import { sign, verify, type KeyObject } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import { readJson } from "./json-reader.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";

/** The records by which the audit log says something of itself. */
export const ROTATION = "settings.audit_key.rotate";
export const PRUNING = "audit.prune";
type Action = typeof ROTATION | typeof PRUNING;

/** What such a record says, signed by the key of the log: writing the table is not enough. */
export interface SignedStatement {
  statement: JsonObject;
  /** Base64. */
  signature: string;
}

const textOf = (action: Action, statement: JsonObject): Buffer =>
  Buffer.from(canonicalJson({ ...statement, what: `myelin ${action}` }));

export const signStatement = (
  action: Action,
  statement: JsonObject,
  privateKey: KeyObject,
): SignedStatement => ({
  statement,
  signature: sign(null, textOf(action, statement), privateKey).toString(
    "base64",
  ),
});

export const isStatement = (
  action: Action,
  { statement, signature }: SignedStatement,
  publicKey: KeyObject,
): boolean =>
  verify(
    null,
    textOf(action, statement),
    publicKey,
    Buffer.from(signature, "base64"),
  );

/** What a record of this action says; undefined where it is of another, or of one that was refused. */
export function readStatement(
  action: Action,
  record: string,
): SignedStatement | undefined {
  // Few are, and there are many.
  if (!record.includes(action)) return undefined;
  const read = parse(record);
  if (read["action"] !== action || read["result"] !== "allowed")
    return undefined;
  return statementIn(read["after"]);
}

/** Where there is none, one that nobody has signed. */
export function statementIn(said: JsonValue | undefined): SignedStatement {
  const { statement, signature } = isJsonObject(said) ? said : {};
  return isJsonObject(statement) && typeof signature === "string"
    ? { statement, signature }
    : { statement: {}, signature: "" };
}

function parse(record: string): JsonObject {
  try {
    const value = readJson(record);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
