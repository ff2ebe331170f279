import type { Edges } from "../../edges.ts";
import { forgetDownloads, listHeavyDownloads } from "../../storage/alerts.ts";
import { raiseAlerts, type RaiseEdges } from "../admin/alerts/raise-alerts.ts";
import { writeDownloads } from "../media/count-downloads.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 100;
/** Longer than any process takes to write down what it has counted. */
const KEPT_MS = 60 * 60 * 1000;
const FORGOTTEN_AT_ONCE = 5_000;

/** Looks who has fetched much, in what the processes have written down. */
export const watchDownloads: Job<RaiseEdges> = {
  name: "watch downloads",
  restMs: 30_000,
  isNeverPaused: true,
  async step(edges, lease) {
    const { downloads } = edges.settings.alerts ?? {};
    if (!downloads) return false;
    const heavy = await listHeavyDownloads(edges.db, downloads, AT_ONCE);
    await raiseAlerts(
      edges,
      heavy.map(({ userId, span, files, bytes }) => ({
        detector: "mass_download",
        severity: "high",
        ...{ subject: userId, span, userId, recordSeq: null },
        facts: { files, bytes },
      })),
    );
    const ageMs = 2 * downloads.spanMs + KEPT_MS;
    const forgotten = await forgetDownloads(
      edges.db,
      lease,
      ageMs,
      FORGOTTEN_AT_ONCE,
    );
    return heavy.length === AT_ONCE || forgotten === FORGOTTEN_AT_ONCE;
  },
};

const WRITTEN_MS = 60_000;

/** Has each process write down once a minute what it has counted. */
export function startCountingDownloads(
  edgesNow: () => Pick<Edges, "db" | "log" | "memory">,
): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const write = (): void => {
    running = writeDownloads(edgesNow()).catch((err: unknown) => {
      edgesNow().log.warn({ err }, "Downloads of a minute were not counted.");
    });
  };
  const timer = setInterval(write, WRITTEN_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
      write();
      await running;
    },
  };
}
