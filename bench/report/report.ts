import { availableParallelism } from "node:os";
import { isWhole, type Ledgers, type Verdict } from "../ledger/verdict.ts";
import { metricNames, type Measurement } from "./measurement.ts";
import { METRICS } from "./metrics.ts";
import { formatNumber, renderTable } from "./table.ts";

/** All that a run found; what `--out` writes. */
export interface Report {
  readonly date: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly measurements: readonly Measurement[];
  /** Missing where the server did not let it be checked. */
  readonly ledger?: Ledgers;
}

/** The title where a scenario did not come to its end. */
export const BROKE_OFF = "broke off";

export const describeMachine = () => ({
  cores: availableParallelism(),
  node: process.version,
});

/** The report for people: a table for each scenario, and the ledger. */
export function renderReport(report: Report): string {
  const scenarios = [
    ...new Set(report.measurements.map(({ scenario }) => scenario)),
  ];
  const settings = Object.entries(report.settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return [
    `${report.date}  ${settings}`,
    ...scenarios.map((scenario) =>
      renderScenario(
        scenario,
        report.measurements.filter((one) => one.scenario === scenario),
      ),
    ),
    renderLedger(report),
    "",
  ].join("\n\n");
}

function renderScenario(
  scenario: string,
  measurements: readonly Measurement[],
): string {
  const metrics = metricNames.filter((name) =>
    measurements.some(({ values }) => values[name] !== undefined),
  );
  const table = renderTable(
    [scenario, ...metrics.map((name) => METRICS[name].label)],
    measurements.map(({ title, values }) => [
      title,
      ...metrics.map((name) => formatNumber(values[name])),
    ]),
  );
  const notes = measurements.flatMap(({ title, note }) =>
    note === undefined ? [] : `${title}: ${note}`,
  );
  return [table, ...notes].join("\n");
}

function renderLedger({ ledger }: Report): string {
  if (ledger === undefined) return "The ledger could not be checked.";
  const row = (name: string, verdict: Verdict) => [
    name,
    formatNumber(verdict.acknowledged),
    formatNumber(verdict.missing),
    formatNumber(verdict.duplicated),
    formatNumber(verdict.outOfOrder),
    formatNumber(verdict.unacknowledged),
  ];
  return renderTable(
    [
      "ledger",
      ...["acknowledged", "missing", "duplicated", "out of order"],
      "found unacknowledged",
    ],
    [
      row("by paging back", ledger.history),
      row("by incremental sync", ledger.sync),
    ],
  );
}

export const isReportWhole = ({ ledger }: Report): boolean =>
  ledger !== undefined && isWhole(ledger.history) && isWhole(ledger.sync);
