/** What one run of a case showed. */
export interface Outcome {
  /** How often what happened: kills by kind, sends, longest times in ms. */
  counts: Record<string, number>;
  /** Each thing that is claimed, with what speaks against it: nothing, if it holds. */
  claims: Record<string, string[]>;
}

/** Something that this machine does not allow. */
export class NotRun extends Error {}

export interface RunOptions {
  seed: number;
  /** How many of the case's units this run does. */
  units: number;
  /** In the full volume; a share may make its waits shorter. */
  isFull: boolean;
}

/** One kind of fault, with the volume that proves it. */
export interface ProofCase {
  name: string;
  /** What one unit is, in words. */
  unit: string;
  fullUnits: number;
  unitsPerRun: number;
  /** What it proves something of, in a few signs: where they changed, it is to be run again. */
  subject?(): Promise<string>;
  /** @throws NotRun */
  run(options: RunOptions): Promise<Outcome>;
}

/** At most so many words of what is wrong; the rest is counted. */
const MOST_TOLD = 10;

export function tell(problems: readonly string[]): string[] {
  if (problems.length <= MOST_TOLD) return [...problems];
  const more = problems.length - MOST_TOLD;
  return [...problems.slice(0, MOST_TOLD), `… and ${more} more`];
}
