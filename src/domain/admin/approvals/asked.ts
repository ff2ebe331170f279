import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import type { Keyring } from "../../../storage/keyring.ts";

/** All that an act depends on: another byte of it is another act. */
export interface Asked {
  method: string;
  /** Of the route. */
  path: string;
  params: Readonly<Record<string, unknown>>;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
}

const CONTEXT = "myelin approval";
/** Each hash has 64 bits. */
const PARTS = ["1", "2", "3", "4"];

/**
 * Stands for a request of somebody. It is keyed by their key, since what was asked for may
 * hold a password, which can be guessed.
 */
export async function hashOfAsked(
  keyring: Pick<Keyring, "prepare" | "hashWords">,
  userId: string,
  asked: Asked,
): Promise<string> {
  const [key] = await keyring.prepare([
    { scope: "user", owner: userId, span: "" },
  ]);
  const digest = createHash("sha256").update(orderedJson(asked)).digest("hex");
  const words = PARTS.map((part) => `${part} ${digest}`);
  return keyring.hashWords(words, CONTEXT, key!).join(".");
}

/** JSON whose members stand in one order, whatever order they came in. */
function orderedJson(value: unknown): string {
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString("base64"));
  if (Array.isArray(value)) return `[${value.map(orderedJson).join(",")}]`;
  if (typeof value !== "object" || value === null)
    return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}:${orderedJson(each)}`);
  return `{${members.join(",")}}`;
}

/** Names of what nobody but who typed it should read. */
const SECRET =
  /pass|token|secret|credential|auth|mac$|nonce|session(?!s$)|^key$/i;
const HIDDEN = "(hidden)";
const LONGEST_TEXT = 1024;
const LONGEST_PREVIEW = 16 * 1024;

/** What the second person is shown of it. */
export function previewOf({ method, path, ...asked }: Asked): JsonObject {
  const parts = {
    params: readable(asked.params),
    query: readable(asked.query),
    body: readable(asked.body),
  };
  const isShort = JSON.stringify(parts).length <= LONGEST_PREVIEW;
  const { params } = parts;
  return isShort
    ? { method: method.toUpperCase(), path, ...parts }
    : { method: method.toUpperCase(), path, params, is_cut: true };
}

function readable(value: unknown): JsonValue {
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (typeof value === "string") return value.slice(0, LONGEST_TEXT);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      SECRET.test(name) && typeof each !== "boolean" ? HIDDEN : readable(each),
    ]),
  );
}
