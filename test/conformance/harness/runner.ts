import { keyOf, type Row } from "./registry.ts";
import type { Server } from "./server.ts";

export interface Outcome {
  row: Row;
  error: Error | undefined;
  ms: number;
}

const TIMEOUT_MS = 30_000;

async function runRow(row: Row, server: Server): Promise<Outcome> {
  const started = performance.now();
  const limit = row.options.timeout ?? TIMEOUT_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done after ${limit} ms`));
    }, limit);
  });
  const error = await Promise.race([row.run(server), late]).then(
    () => undefined,
    (cause: unknown) =>
      cause instanceof Error ? cause : new Error(String(cause)),
  );
  clearTimeout(timer);
  return { row, error, ms: Math.round(performance.now() - started) };
}

/** Runs the rows, `jobs` at a time, then those that want to be alone; tells each outcome as it comes. */
export async function runRows(
  rows: Row[],
  server: Server,
  jobs: number,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const work = async (queue: Row[]) => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const outcome = await runRow(row, server);
      outcomes.push(outcome);
      tell(outcome);
    }
  };
  const beside = rows.filter((row) => row.options.alone !== true);
  await Promise.all(Array.from({ length: jobs }, () => work(beside)));
  await work(rows.filter((row) => row.options.alone === true));
  return outcomes;
}

export const titleOf = (row: Row): string =>
  keyOf(row).split("\t").filter(Boolean).join(" › ");
