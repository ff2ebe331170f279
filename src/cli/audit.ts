import { exportAudit as readExport } from "../domain/admin/export-audit.ts";
import type { ExportFormat } from "../domain/admin/export-audit.ts";
import { auditRecord } from "../domain/admin/audit-record.ts";
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
  const options = parseOptions(args, folderOptions);
  const place = await findPlace(program, options);
  await act(program, place, async ({ auditKey }) => auditKey.publicKey);
}
