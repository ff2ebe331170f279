import { pairUp, renderComparison } from "./compare.ts";
import type { MetricName } from "./metrics.ts";
import type { Report } from "./report.ts";

/** What depends on the work and little on what else the machine does. */
const COSTS: MetricName[] = ["cpuMs", "bytesEach"];

/** What operations cost now against the committed figures, which a change should know. */
export function renderCosts(committed: Report, now: Report): string {
  const pairs = pairUp(committed.measurements, now.measurements, COSTS);
  const table = renderComparison(["committed", "now"], pairs);
  return `Against the figures of ${committed.date}:\n\n${table}\n\n`;
}
