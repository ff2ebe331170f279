import { checkpointLine } from "../../core/audit-export.ts";
import type { Edges } from "../../edges.ts";
import { listAuditRows, NO_FILTER } from "../../storage/audit-log.ts";
import {
  findDelivered,
  listCheckpoints,
  setDelivered,
} from "../../storage/audit-checkpoints.ts";
import type { Lease } from "../../storage/leases.ts";
import type { AuditLine, AuditSink } from "../../util/audit-sinks.ts";
import { cefLine } from "../admin/audit-formats.ts";
import { signedOf } from "../admin/checkpoints.ts";
import { openRecords } from "../admin/open-records.ts";
import type { Job } from "./job.ts";

type Needs = Pick<Edges, "audit" | "db" | "keyring" | "log" | "settings">;

const AT_ONCE = 100;
const ALL = Number.MAX_SAFE_INTEGER;

/** Brings each signed checkpoint to the places outside, those that were away too. */
export const bringCheckpoints: Job<Needs> = {
  name: "bring audit checkpoints",
  restMs: 20_000,
  isNeverPaused: true,
  step: (edges, lease) =>
    tellEach(edges, lease, edges.audit.anchors, async (after) => {
      const span = { after, upTo: ALL, limit: AT_ONCE };
      const rows = await listCheckpoints(edges.db, span);
      return rows.map((row) => ({
        ...{ seq: row.seq, ts: row.ts, isWarning: false },
        text: checkpointLine(signedOf(row, edges.settings.serverName)),
      }));
    }),
};

/** Tells whoever watches of each record, some moments after it was written. */
export const streamAudit: Job<Needs> = {
  name: "stream audit log",
  restMs: 1_000,
  isNeverPaused: true,
  step(edges, lease) {
    const formats = new Map(
      edges.audit.streams.map(({ sink, format }) => [sink, format]),
    );
    return tellEach(edges, lease, [...formats.keys()], async (after, sink) => {
      const span = { after, upTo: ALL, limit: AT_ONCE };
      const rows = await listAuditRows(edges.db, NO_FILTER, span);
      const records = await openRecords(edges, rows);
      return records.map((record) => ({
        ...{ seq: record.seq, ts: Number(record["ts"]) },
        isWarning: record["result"] !== "allowed",
        text:
          formats.get(sink) === "cef"
            ? cefLine(record)
            : JSON.stringify(record),
      }));
    });
  },
};

/** One that does not answer keeps none of the others waiting. */
async function tellEach(
  { db, log }: Needs,
  lease: Lease,
  sinks: readonly AuditSink[],
  read: (after: number, sink: AuditSink) => Promise<AuditLine[]>,
): Promise<boolean> {
  const tell = async (sink: AuditSink): Promise<boolean> => {
    const lines = await read(await findDelivered(db, sink.name), sink);
    const last = lines.at(-1);
    if (!last) return false;
    try {
      await sink.take(lines);
    } catch (error) {
      log.warn(
        { err: error, target: sink.name },
        "The audit log could not be brought outside: it is tried again.",
      );
      return false;
    }
    await setDelivered(db, lease, sink.name, last.seq);
    return lines.length === AT_ONCE;
  };
  const isMore = await Promise.all(sinks.map(tell));
  return isMore.some((each) => each);
}
