import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError, type Options } from "./options.ts";
import { renderBars } from "./report/judge.ts";
import type { SuiteReport } from "./report/readings.ts";
import { BROKE_OFF, isReportWhole, type Report } from "./report/report.ts";
import { SUITES, type Part } from "./suites.ts";

/**
 * Each part in a process of its own, so that what one has remembered does not
 * burden the next. What `--out` holds already is not measured again, unless a
 * part is named.
 */
export async function runSuite(
  options: Options,
  args: readonly string[],
): Promise<void> {
  const { out, parts: named } = options;
  const suite = SUITES.get(options.suite ?? "") ?? [];
  if (out === undefined)
    throw new UsageError("--suite needs --out, where it keeps its reports.");
  const unknown = named.find((name) => !suite.some((one) => one.name === name));
  if (unknown !== undefined) {
    const known = suite.map(({ name }) => name).join(", ");
    throw new UsageError(`--part knows ${known}, not ${unknown}.`);
  }
  let kept = readSuite(out);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stopping.abort());
  for (const part of suite) {
    const known = kept[part.name];
    const isDue =
      named.length > 0
        ? named.includes(part.name)
        : known === undefined || !isComplete(known);
    if (!isDue || stopping.signal.aborted) continue;
    const more = withoutSuite(args);
    const report = await measurePart(part, more, stopping.signal);
    if (report !== undefined) {
      kept = { ...kept, [part.name]: report };
      writeFileSync(out, `${JSON.stringify(kept, null, 2)}\n`);
    }
    if (report === undefined || !isComplete(report)) process.exitCode = 1;
  }
  process.stdout.write(`${renderBars(kept)}\n`);
}

const isComplete = (report: Report): boolean =>
  isReportWhole(report) &&
  report.measurements.every(({ title }) => title !== BROKE_OFF);

const readSuite = (file: string): SuiteReport =>
  existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as SuiteReport)
    : {};

/** What the part says, and after it what was said to the suite, which holds; undefined where it made no report. */
async function measurePart(
  { name, args }: Part,
  more: readonly string[],
  stopping: AbortSignal,
): Promise<Report | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "bench-part-"));
  const out = join(folder, "report.json");
  const all = [...args, ...more, "--out", out];
  process.stderr.write(`\n${name}: ${[...args, ...more].join(" ")}\n`);
  const program = process.argv[1] ?? "";
  const child = spawn(process.execPath, [program, ...all], {
    stdio: ["ignore", process.stderr, process.stderr],
  });
  const stop = () => child.kill("SIGTERM");
  stopping.addEventListener("abort", stop);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (existsSync(out)) return JSON.parse(readFileSync(out, "utf8")) as Report;
    process.stderr.write(`${name} ended with ${code} and no report\n`);
    return undefined;
  } finally {
    stopping.removeEventListener("abort", stop);
    rmSync(folder, { recursive: true, force: true });
  }
}

const OF_THE_SUITE = ["--suite", "--part", "--out"];

/** The words that are for the parts. */
export function withoutSuite(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [name = "", value] = args[i]!.split("=", 2);
    if (!OF_THE_SUITE.includes(name)) kept.push(args[i]!);
    else if (value === undefined) i++;
  }
  return kept;
}
