import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isCertificate } from "../core/destruction-certificate.ts";
import { readJson } from "../core/json-reader.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { readKeys } from "./audit-verify.ts";
import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";
import { UsageError } from "./usage.ts";

/** `myelin retention verify FILE`: needs no server, no database and no secret. */
export async function verifyCertificates(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const [file = "", ...rest] = args;
  if (file === "" || file.startsWith("--"))
    throw new UsageError("Which file? Give what the server answered.");
  const { key: given } = parseOptions(rest, { key: { type: "string" } });
  if (given === undefined)
    throw new UsageError(
      "--key expects the key that `myelin audit key` prints.",
    );
  // Those that signed before stay good for what they signed.
  const keys = await readKeys(given, resolve(program.folder, given));
  const path = resolve(program.folder, file);
  const certificates = readCertificates(
    await readFile(path, "utf8").catch(() => ""),
  );
  if (certificates.length === 0)
    throw new StartError(`There is no certificate in ${path}.`);
  const isGenuine = ({ certificate, signature }: Signed) =>
    keys.some((key) => isCertificate(certificate, signature, key));
  for (const { first, ...last } of certificates) {
    if (![...first, last].every(isGenuine))
      throw new StartError(
        "A certificate is not what this key has signed: it was changed, or is another server's.",
      );
    program.stdout.write(
      `${describe(readJson(last.certificate) as JsonObject)}\n`,
    );
  }
}

interface Signed {
  certificate: string;
  signature: string;
}

/** One, or a list of them, as the server answers it, with what was signed of each at first. */
function readCertificates(text: string): (Signed & { first: Signed[] })[] {
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
      ...signed,
      first: isJsonObject(first) ? signedIn(first) : [],
    })),
  );
}

const signedIn = ({ certificate, signature }: JsonObject): Signed[] =>
  typeof certificate === "string" && typeof signature === "string"
    ? [{ certificate, signature }]
    : [];

const dayOf = (ts: unknown): string =>
  typeof ts === "number" ? new Date(ts).toISOString() : "not yet";

function describe(said: JsonObject): string {
  const { policy_id: policy, server, destroyed } = said;
  return [
    `${String(server)}, by the policy ${String(policy)}: ${JSON.stringify(destroyed)}.`,
    `Gone from the tables: ${dayOf(said["gone_ts"])}.`,
    `Unreadable in logs and old backups: ${dayOf(said["unreadable_ts"])}.`,
  ].join(" ");
}
