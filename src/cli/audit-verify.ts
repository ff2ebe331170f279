import { createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  ChainVerifier,
  type ChainReport,
  type SignedCheckpoint,
} from "../core/audit-chain.ts";
import { isFaithful, readExportLine } from "../core/audit-export.ts";
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
  });
  const placeOf = (path: string) => resolve(program.folder, path);
  const key =
    options.key === undefined
      ? undefined
      : await readKey(options.key, placeOf(options.key));
  const anchors: SignedCheckpoint[] = [];
  for (const path of options.checkpoint ?? [])
    anchors.push(...(await readCheckpoints(placeOf(path))));
  const report = await verifyFile(placeOf(file), key, anchors);
  if (report.fault) throw new StartError(describeFault(report));
  program.stdout.write(`${describe(report)}\n`);
}

export async function verifyFile(
  path: string,
  key: KeyObject | undefined,
  anchors: readonly SignedCheckpoint[],
): Promise<ChainReport> {
  const verifier = new ChainVerifier(key, anchors);
  for await (const { text, number } of linesOf(path)) {
    const line = readExportLine(text);
    if (!line)
      throw new StartError(
        `Line ${number} of ${path} is no record of an audit log. Export it as ndjson.`,
      );
    if (line.kind === "link") {
      const { link, opened } = line;
      const isRight = !opened || isFaithful(link.record, opened);
      verifier.follow(link, isRight);
    } else verifier.pass(line.signed);
    if (verifier.isBroken) break;
  }
  return verifier.end();
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
  const text = RAW_KEY.test(given)
    ? given
    : await readFile(path, "utf8").catch(() => "");
  const [, raw] = RAW_KEY.exec(text.trim()) ?? [];
  if (raw === undefined)
    throw new UsageError(
      "--key expects the public key that `myelin audit key` prints, or a file that holds it.",
    );
  const x = Buffer.from(raw, "base64").toString("base64url");
  return createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x },
    format: "jwk",
  });
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
