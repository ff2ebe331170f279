export interface Counts {
  passed: number;
  failed: number;
}

/** What a suite's last line tells. A suite that ends badly without telling why has failed once. */
export function parseCounts(output: string, exitCode: number | null): Counts {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? [];
  if (passed === undefined || failed === undefined)
    return { passed: 0, failed: 1 };
  const hidden = exitCode !== 0 && failed === "0" ? 1 : 0;
  return { passed: Number(passed), failed: Number(failed) + hidden };
}

export const sumCounts = (counts: readonly Counts[]): Counts => ({
  passed: counts.reduce((sum, { passed }) => sum + passed, 0),
  failed: counts.reduce((sum, { failed }) => sum + failed, 0),
});
