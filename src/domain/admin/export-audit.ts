import {
  checkpointLine,
  linkLine,
  rotationLine,
} from "../../core/audit-export.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import {
  findAuditHead,
  listAuditRows,
  type AuditRow,
} from "../../storage/audit-log.ts";
import { listCheckpoints } from "../../storage/audit-checkpoints.ts";
import { listRotations } from "./audit-rotation.ts";
import { cefLine, csvHead, csvLine } from "./audit-formats.ts";
import { linkOf, signedOf } from "./checkpoints.ts";
import { openRecords, type OpenedRecord } from "./open-records.ts";
import { filterOf, type AuditQuestion } from "./read-audit.ts";

export type ExportFormat = "ndjson" | "csv" | "cef";
type Needs = Pick<Edges, "db" | "keyring" | "settings">;

const ROWS_AT_ONCE = 500;

export interface ExportOrder {
  format: ExportFormat;
  question: AuditQuestion;
  /** From this record on. */
  fromSeq: number;
}

/**
 * The log up to where it stands now, a page at a time. As ndjson it can be verified by
 * whoever has the public key: each line is the link as it stands in the database, and
 * beside it what it says.
 */
export async function exportAudit(
  edges: Needs,
  { format, question, fromSeq }: ExportOrder,
): Promise<AsyncIterable<string>> {
  const head = await findAuditHead(edges.db);
  const filter = await filterOf(edges, question);
  return pages(edges, format, fromSeq - 1, head?.seq ?? 0, (span) =>
    listAuditRows(edges.db, filter, span),
  );
}

async function* pages(
  edges: Needs,
  format: ExportFormat,
  start: number,
  upTo: number,
  read: (span: {
    after: number;
    upTo: number;
    limit: number;
  }) => Promise<AuditRow[]>,
): AsyncGenerator<string> {
  if (format === "csv") yield csvHead;
  let after = start;
  let isMore = true;
  let isBegun = false;
  while (isMore) {
    const rows = await read({ after, upTo, limit: ROWS_AT_ONCE });
    if (format === "ndjson" && !isBegun) yield* heads(edges, rows[0]);
    isBegun = true;
    isMore = rows.length === ROWS_AT_ONCE;
    const end = isMore ? rows.at(-1)!.seq : upTo;
    const opened = await openRecords(edges, rows);
    const lines =
      format === "ndjson"
        ? await verifiable(edges, rows, opened, { after, upTo: end })
        : opened.map((record) => plain(format, record));
    yield lines.map((line) => `${line}\n`).join("");
    after = end;
  }
}

/** The keys that are named before the first of these records. */
async function* heads(
  edges: Needs,
  first: AuditRow | undefined,
): AsyncGenerator<string> {
  for (const rotation of await listRotations(edges))
    if (first && rotation.seq < first.seq) yield `${rotationLine(rotation)}\n`;
}

const plain = (format: "csv" | "cef", record: OpenedRecord): string =>
  format === "csv" ? csvLine(record) : cefLine(record);

/** The links, each followed by the checkpoint that was signed of it. */
async function verifiable(
  { db, settings }: Needs,
  rows: readonly AuditRow[],
  opened: readonly JsonObject[],
  { after, upTo }: { after: number; upTo: number },
): Promise<string[]> {
  if (rows.length === 0) return [];
  const limit = upTo - after + 1;
  const checkpoints = await listCheckpoints(db, { after, upTo, limit });
  const bySeq = new Map(checkpoints.map((row) => [row.seq, row]));
  return rows.flatMap((row, i) => {
    const line = linkLine(linkOf(row), opened[i]);
    const checkpoint = bySeq.get(row.seq);
    return checkpoint
      ? [line, checkpointLine(signedOf(checkpoint, settings.serverName))]
      : [line];
  });
}
