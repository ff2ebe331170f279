import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isCertificate } from "../core/destruction-certificate.ts";
import { readJson } from "../core/json-reader.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { StartError } from "./start-error.ts";

/**
 * What the certificates in a file say, of which one of these keys has signed each, and
 * what was signed of each at first.
 */
export async function readCertificates(
  path: string,
  keys: readonly KeyObject[],
): Promise<JsonObject[]> {
  const found = certificatesIn(await readFile(path, "utf8").catch(() => ""));
  if (found.length === 0)
    throw new StartError(`There is no certificate in ${path}.`);
  const isGenuine = ({ certificate, signature }: Signed) =>
    keys.some((key) => isCertificate(certificate, signature, key));
  return found.map(({ first, last }) => {
    if ([...first, last].every(isGenuine))
      return readJson(last.certificate) as JsonObject;
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
function certificatesIn(text: string): { first: Signed[]; last: Signed }[] {
  let answer: unknown;
  try {
    answer = readJson(text);
  } catch {
    return [];
  }
  if (!isJsonObject(answer as JsonObject)) return [];
  const { certificates } = answer as JsonObject;
  const all = Array.isArray(certificates) ? certificates : [answer];
  return (all as JsonObject[]).flatMap(({ signed_first: first, ...last }) =>
    signedIn(last).map((signed) => ({
      first: isJsonObject(first) ? signedIn(first) : [],
      last: signed,
    })),
  );
}

const signedIn = ({ certificate, signature }: JsonObject): Signed[] =>
  typeof certificate === "string" && typeof signature === "string"
    ? [{ certificate, signature }]
    : [];

export const dayOf = (ts: unknown): string =>
  typeof ts === "number" ? new Date(ts).toISOString() : "not yet";
