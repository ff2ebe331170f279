import type { AlertSettings, Edges } from "../../edges.ts";
import {
  findDetectorPlace,
  findSeqSince,
  forgetPlaces,
  listUnreportedBindings,
  rememberPlaces,
  setDetectorPlace,
} from "../../storage/alerts.ts";
import {
  findAuditRow,
  listAuditRows,
  NO_FILTER,
} from "../../storage/audit-log.ts";
import { slot } from "../../util/process-memory.ts";
import type { Finding } from "../admin/alerts/finding.ts";
import { LogWatch } from "../admin/alerts/log-watch.ts";
import { findNewPlaces } from "../admin/alerts/new-places.ts";
import { raiseAlerts, type RaiseEdges } from "../admin/alerts/raise-alerts.ts";
import { factsOfRecord } from "../admin/alerts/record-facts.ts";
import { findStrongerRoles } from "../admin/alerts/stronger-roles.ts";
import { openRecords } from "../admin/open-records.ts";
import type { Job } from "./job.ts";

type Needs = RaiseEdges & Pick<Edges, "keyring" | "memory">;

/** Of the place up to where it has read. */
export const AUDIT_WATCH = "audit log";
const AT_ONCE = 200;
/** Read again at the most, when another process goes on. */
const MOST_REMEMBERED = 20_000;
const PLACES_KEPT_MS = 180 * 24 * 60 * 60 * 1000;
const FORGOTTEN_AT_ONCE = 500;

/** What this process knows of the log, and up to where. */
const known = slot((): { watch?: LogWatch; seq: number } => ({ seq: -1 }));

/**
 * Looks for what is remarkable in the audit log, in its order, some seconds after it was
 * written: whoever serves does nothing for it. What was found by a process that died
 * before it could note the place is found again, and raised once.
 */
export const watchAudit: Job<Needs> = {
  name: "watch audit log",
  restMs: 5_000,
  isNeverPaused: true,
  async step(edges, lease) {
    const { db, settings } = edges;
    if (!settings.alerts) return false;
    // Read before the log is, which so tells of each of them that it will ever tell of.
    const unreported = await findNewAdministrators(edges);
    const after = await findDetectorPlace(db, AUDIT_WATCH);
    const watch = await watchAt(edges, settings.alerts, after);
    const span = { after, upTo: Number.MAX_SAFE_INTEGER, limit: AT_ONCE };
    const rows = await listAuditRows(db, NO_FILTER, span);
    const records = (await openRecords(edges, rows)).map(factsOfRecord);
    edges.memory.of(known).seq = -1;
    const places = await findNewPlaces(edges, records);
    await raiseAlerts(edges, [
      ...records.flatMap((record) => watch.follow(record)),
      ...places.findings,
      ...(await findStrongerRoles(edges, records)),
    ]);
    await rememberPlaces(db, lease, places.seen);
    const last = rows.at(-1)?.seq ?? after;
    if (last > after) await setDetectorPlace(db, lease, AUDIT_WATCH, last);
    edges.memory.of(known).seq = last;
    if (rows.length === AT_ONCE) return true;
    await raiseAlerts(edges, unreported);
    await forgetPlaces(db, lease, PLACES_KEPT_MS, FORGOTTEN_AT_ONCE);
    return false;
  },
};

/** The watch that has read up to a place. */
async function watchAt(
  edges: Needs,
  alerts: AlertSettings,
  after: number,
): Promise<LogWatch> {
  const remembered = edges.memory.of(known);
  if (remembered.watch && remembered.seq === after) return remembered.watch;
  const { pepper } = edges.settings.password;
  const watch = new LogWatch(alerts, pepper);
  remembered.watch = watch;
  const last = await findAuditRow(edges.db, after);
  if (!last) return watch;
  const { ts } = JSON.parse(last.record) as { ts: number };
  const since = await findSeqSince(edges.db, LogWatch.memoryAt(alerts, ts));
  let from = Math.max((since ?? after) - 1, after - MOST_REMEMBERED);
  while (from < after) {
    const span = { after: from, upTo: after, limit: AT_ONCE };
    const rows = await listAuditRows(edges.db, NO_FILTER, span);
    if (rows.length === 0) break;
    for (const record of await openRecords(edges, rows))
      watch.follow(factsOfRecord(record));
    from = rows.at(-1)!.seq;
  }
  return watch;
}

/** Those too whom no record tells of: somebody wrote them into the table. */
async function findNewAdministrators({
  db,
}: Pick<Edges, "db">): Promise<Finding[]> {
  const bindings = await listUnreportedBindings(db, AT_ONCE);
  return bindings.map(({ bindingId, userId, roleId, grantedBy }) => ({
    detector: "new_administrator",
    severity: "high",
    ...{ subject: userId, span: bindingId, userId, recordSeq: null },
    facts: { role: roleId, granted_by: grantedBy },
  }));
}
