import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exportAudit as readExport } from "../domain/admin/export-audit.ts";
import type { ExportFormat } from "../domain/admin/export-audit.ts";
import { auditRecord } from "../domain/admin/audit-record.ts";
import {
  listPublicKeys,
  rotateAuditKey,
} from "../domain/admin/audit-rotation.ts";
import { auditName } from "../storage/secret-source.ts";
import { act, findPlace } from "./act.ts";
import { folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { UsageError } from "./usage.ts";

const FORMATS: readonly string[] = ["ndjson", "csv", "cef"];

/** `myelin audit export`: recorded like an export that an auditor asks for. */
export async function exportAudit(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    format: { type: "string", default: "ndjson" },
    "from-seq": { type: "string", default: "1" },
  });
  const { format, "from-seq": from } = options;
  if (!FORMATS.includes(format))
    throw new UsageError(`--format expects one of ${FORMATS.join(", ")}.`);
  if (!/^[1-9]\d{0,14}$/.test(from))
    throw new UsageError("--from-seq expects the number of a record.");
  await act(program, await findPlace(program, options), async (edges) => {
    const record = auditRecord(
      {
        act: "audit.export",
        actor: "command line",
        target: "",
        details: { format, from_seq: Number(from) },
      },
      edges.now(),
    );
    await edges.committer.commit({ positions: 0, audit: [record] });
    const pages = await readExport(edges, {
      format: format as ExportFormat,
      fromSeq: Number(from),
      question: {},
    });
    for await (const text of pages) {
      if (!program.stdout.write(text))
        await new Promise((done) => program.stdout.once("drain", done));
    }
    return undefined;
  });
}

/** `myelin audit key` */
export async function printAuditKey(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    all: { type: "boolean", default: false },
  });
  const place = await findPlace(program, options);
  await act(program, place, async (edges) => {
    if (!options.all) return (await edges.auditKey.current()).publicKey;
    const keys = await listPublicKeys(edges);
    return keys
      .map(({ keyId, publicKey }) => `${keyId} ${publicKey}`)
      .join("\n");
  });
}

/** `myelin audit rotate-key`: the old key signs the new one, and nothing after that. */
export async function rotateKey(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    destroy: { type: "boolean", default: false },
  });
  const place = await findPlace(program, options);
  await act(program, place, async (edges) => {
    const rotation = await rotateAuditKey(edges, "command line");
    if (!rotation)
      return "Another process has replaced the key just now, and it stays so.";
    const { before, after } = rotation;
    const file = join(place.dataFolder, "keys", auditName(before.epoch));
    if (options.destroy) await rm(file, { force: true });
    return [
      `Checkpoints are signed by ${after.keyId} from now on; ${before.keyId} has signed that.`,
      `Its public key: ${after.publicKey}`,
      options.destroy
        ? `The file ${file} is removed; destroy its copies too.`
        : `Destroy ${file} and its copies: it signs nothing any more.`,
    ].join("\n");
  });
}
