import { createHash, type KeyObject } from "node:crypto";
import { readJson } from "../core/json-reader.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { EXPORT_FORMAT, isExport } from "../core/privacy-export.ts";
import { dayOf, readCertificates } from "./certificates.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";
import { readLines } from "./text-lines.ts";
import { readWhatToVerify } from "./what-to-verify.ts";

/**
 * `myelin privacy verify FILE`, of an export or of a certificate that somebody was erased:
 * needs no server, no database and no secret.
 */
export async function verifyPrivacy(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const { path, keys } = await readWhatToVerify(program, args);
  const read = await readExport(path);
  const told = read
    ? [describeExport(read, keys)]
    : (await readCertificates(path, keys)).map(describeCertificate);
  for (const text of told) program.stdout.write(`${text}\n`);
}

interface Read {
  header: JsonObject;
  last: JsonObject;
  lines: number;
  /** Of what stands before the last line. */
  sha256: string;
}

/** Undefined where the file is no export. */
async function readExport(path: string): Promise<Read | undefined> {
  const hash = createHash("sha256");
  let header: JsonObject | undefined;
  let last: Buffer | undefined;
  let lines = 0;
  for await (const line of readLines(path)) {
    header ??= parse(line);
    if (header["format"] !== EXPORT_FORMAT) return undefined;
    if (last) hash.update(last).update("\n");
    lines += 1;
    last = line;
  }
  if (!header || !last) return undefined;
  return { header, last: parse(last), lines, sha256: hash.digest("hex") };
}

function parse(line: Buffer): JsonObject {
  try {
    const read = readJson(line.toString());
    return isJsonObject(read) ? read : {};
  } catch {
    return {};
  }
}

function describeExport(
  { header, last, lines, sha256 }: Read,
  keys: readonly KeyObject[],
): string {
  if (last["kind"] !== "end")
    throw new StartError("This export is not whole: its last line is missing.");
  const { server, user_id, made_ts } = header;
  const { signature } = last;
  const facts = {
    ...{ server: String(server), user_id: String(user_id) },
    ...{ made_ts: Number(made_ts), lines, sha256 },
  };
  const isGenuine =
    typeof signature === "string" &&
    keys.some((key) => isExport(facts, signature, key));
  if (!isGenuine)
    throw new StartError(
      "This export is not what this key has signed: it was changed, or is another server's.",
    );
  return `${String(server)}, all of ${String(user_id)} at ${dayOf(made_ts)}: ${lines} lines, whole and unchanged.`;
}

function describeCertificate(said: JsonObject): string {
  const { user_id: user, server, destroyed } = said;
  if (typeof user !== "string")
    throw new StartError(
      "This is a certificate of a policy: see `myelin retention verify`.",
    );
  return [
    `${String(server)}, the erasure of ${user}: ${JSON.stringify(destroyed)}.`,
    `Gone from the tables: ${dayOf(said["gone_ts"])}.`,
    `Unreadable in logs and old backups: ${dayOf(said["unreadable_ts"])}.`,
  ].join(" ");
}
