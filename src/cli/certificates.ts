import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isCertificate } from "../core/destruction-certificate.ts";
import { readJson } from "../core/json-reader.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { StartError } from "./start-error.ts";

/** What the certificates in a file say, of which one of these keys has signed each. */
export async function readCertificates(
  path: string,
  keys: readonly KeyObject[],
): Promise<JsonObject[]> {
  const signed = signedIn(await readFile(path, "utf8").catch(() => ""));
  if (signed.length === 0)
    throw new StartError(`There is no certificate in ${path}.`);
  return signed.map(({ certificate, signature }) => {
    if (keys.some((key) => isCertificate(certificate, signature, key)))
      return readJson(certificate) as JsonObject;
    throw new StartError(
      "A certificate is not what this key has signed: it was changed, or is another server's.",
    );
  });
}

interface Signed {
  certificate: string;
  signature: string;
}

/** One, or a list of them, as the server answers it. */
function signedIn(text: string): Signed[] {
  let answer: unknown;
  try {
    answer = readJson(text);
  } catch {
    return [];
  }
  if (!isJsonObject(answer as JsonObject)) return [];
  const { certificates } = answer as JsonObject;
  const all = Array.isArray(certificates) ? certificates : [answer];
  return (all as JsonObject[]).flatMap(({ certificate, signature }) =>
    typeof certificate === "string" && typeof signature === "string"
      ? [{ certificate, signature }]
      : [],
  );
}

export const dayOf = (ts: unknown): string =>
  typeof ts === "number" ? new Date(ts).toISOString() : "not yet";
