import type { KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  ChainVerifier,
  type ChainReport,
  type SignedCheckpoint,
} from "../core/audit-chain.ts";
import {
  isFaithful,
  readExportLine,
  type ExportLine,
} from "../core/audit-export.ts";
import {
  KeyChain,
  readPublicKey,
  type KeyRotation,
} from "../core/audit-keys.ts";
import { Prunings } from "../core/audit-prunings.ts";
import { readStatement, ROTATION } from "../core/audit-statements.ts";
import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";
import { UsageError } from "./usage.ts";

/** `myelin audit verify FILE`: needs no server, no database and no secret. */
export async function verifyAudit(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const [file = "", ...rest] = args;
  if (file === "" || file.startsWith("--"))
    throw new UsageError("Which file? Give an export of the audit log.");
  const options = parseOptions(rest, {
    key: { type: "string" },
    checkpoint: { type: "string", multiple: true },
    "from-seq": { type: "string" },
  });
  const from = options["from-seq"];
  if (from !== undefined && !/^[1-9]\d{0,14}$/.test(from))
    throw new UsageError("--from-seq expects the number of a record.");
  const placeOf = (path: string) => resolve(program.folder, path);
  const key =
    options.key === undefined
      ? undefined
      : await readKey(options.key, placeOf(options.key));
  const anchors: SignedCheckpoint[] = [];
  for (const path of options.checkpoint ?? [])
    anchors.push(...(await readCheckpoints(placeOf(path))));
  const begins = from === undefined ? undefined : Number(from);
  const report = await verifyFile(placeOf(file), key, anchors, begins);
  if (report.fault) throw new StartError(describeFault(report));
  program.stdout.write(`${describe(report)}\n`);
}

/**
 * @param key of those that signed one after the other, the one that is trusted
 * @param from where the export begins; absent for the log as it is kept
 */
export async function verifyFile(
  path: string,
  key: KeyObject | undefined,
  anchors: readonly SignedCheckpoint[],
  from?: number,
): Promise<ChainReport> {
  const keys = key && new KeyChain(key, await readRotations(path));
  const verifier = new ChainVerifier(keys, anchors);
  const prunings = new Prunings(keys);
  for await (const line of exportLinesOf(path)) {
    if (line.kind === "link") {
      const { link, opened } = line;
      prunings.follow(link);
      const isRight = !opened || isFaithful(link.record, opened);
      verifier.follow(link, isRight);
    } else if (line.kind === "checkpoint") verifier.pass(line.signed);
    if (verifier.isBroken) break;
  }
  const report = verifier.end();
  const fault = report.fault ?? prunings.findFault(from);
  return { ...report, ...(fault && { fault }) };
}

/** Of keys that signed what comes, or signed before: a key is known before what it signed is read. */
async function readRotations(path: string): Promise<KeyRotation[]> {
  const found: KeyRotation[] = [];
  for await (const line of exportLinesOf(path)) {
    if (line.kind === "rotation") found.push(line.rotation);
    if (line.kind !== "link") continue;
    const { seq, record } = line.link;
    const signed = readStatement(ROTATION, record);
    if (signed) found.push({ seq, signed });
  }
  return found;
}

async function* exportLinesOf(path: string): AsyncGenerator<ExportLine> {
  for await (const { text, number } of linesOf(path)) {
    const line = readExportLine(text);
    if (!line)
      throw new StartError(
        `Line ${number} of ${path} is no record of an audit log. Export it as ndjson.`,
      );
    yield line;
  }
}

async function readCheckpoints(path: string): Promise<SignedCheckpoint[]> {
  const found: SignedCheckpoint[] = [];
  for await (const { text, number } of linesOf(path)) {
    const line = readExportLine(text);
    if (line?.kind !== "checkpoint")
      throw new StartError(`Line ${number} of ${path} is no checkpoint.`);
    found.push(line.signed);
  }
  if (found.length === 0)
    throw new StartError(`There is no checkpoint in ${path}.`);
  return found;
}

async function* linesOf(path: string) {
  let number = 0;
  const input = createReadStream(path);
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      number += 1;
      if (text.trim() !== "") yield { text, number };
    }
  } catch (error) {
    throw new StartError(`${path} cannot be read: ${(error as Error).message}`);
  } finally {
    input.destroy();
  }
}

/** The key as `myelin audit key` prints it, or a file that holds it. */
export async function readKey(given: string, path: string): Promise<KeyObject> {
  const [key] = await readKeys(given, path);
  return key!;
}

/** The same, of a file that holds several, one in a line. */
export async function readKeys(
  given: string,
  path: string,
): Promise<KeyObject[]> {
  const text = RAW_KEY.test(given)
    ? given
    : await readFile(path, "utf8").catch(() => "");
  const keys = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => readPublicKey(RAW_KEY.exec(line.trim())?.[1] ?? ""));
  const known = keys.flatMap((key) => key ?? []);
  if (known.length === 0 || known.length < keys.length)
    throw new UsageError(
      "--key expects the public key that `myelin audit key` prints, or a file that holds it.",
    );
  return known;
}

const RAW_KEY = /^(?:ed25519:\S+ )?([A-Za-z0-9+/]{43})=?$/;

function describeFault({ fault, first, last }: ChainReport): string {
  const { seq, upTo, why } = fault!;
  const where =
    upTo === undefined || upTo === seq
      ? `record ${seq}`
      : `somewhere from record ${seq} to ${upTo}`;
  const good =
    last >= first && first > 0 ? ` Links hold from ${first} to ${last}.` : "";
  return `The audit log was changed at ${where}: ${why}.${good}`;
}

function describe({ first, last, links, vouchedTo }: ChainReport): string {
  if (links === 0) return "There is no record in it, and none is missing.";
  const rest =
    vouchedTo === 0
      ? "No checkpoint vouches for it: give --key, and a --checkpoint from outside."
      : vouchedTo < last
        ? `A checkpoint vouches for it up to record ${vouchedTo}; what comes after is only as good as its file.`
        : "A checkpoint vouches for all of it.";
  return `${links} records hold, from ${first} to ${last}. ${rest}`;
}
