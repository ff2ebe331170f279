import { listOverdueIncidents } from "../../storage/incidents.ts";
import { raiseAlerts, type RaiseEdges } from "../admin/alerts/raise-alerts.ts";
import { NOTIFY_WITHIN_MS } from "../admin/incidents/incidents.ts";
import type { Job } from "./job.ts";

/** So long before the time is over. */
const WARNED_MS = 12 * 60 * 60 * 1000;
const AT_ONCE = 100;

/** Raises an alert where the time to tell of an incident is nearly over, and nobody was told. */
export const watchIncidents: Job<RaiseEdges> = {
  name: "watch incidents",
  restMs: 60_000,
  isNeverPaused: true,
  async step(edges) {
    const ageMs = NOTIFY_WITHIN_MS - WARNED_MS;
    const due = await listOverdueIncidents(edges.db, ageMs, AT_ONCE);
    await raiseAlerts(
      edges,
      due.map(({ incidentId, awareTs }) => ({
        detector: "incident_clock",
        severity: "high",
        ...{ subject: incidentId, span: awareTs },
        ...{ userId: null, recordSeq: null },
        facts: { incident_id: incidentId, due_ts: awareTs + NOTIFY_WITHIN_MS },
      })),
    );
    return due.length === AT_ONCE;
  },
};
