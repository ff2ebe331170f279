import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./proof.ts";

export interface Result extends Outcome {
  case: string;
  seed: number;
  units: number;
  seconds: number;
  subject?: string;
}

const FILE = join("test", "faults", "results.jsonl");

/** What full runs showed, one a line; the last of a case and seed counts. */
export class ResultsFile {
  readonly #results = new Map<string, Result>();

  constructor() {
    if (!existsSync(FILE)) return;
    const lines = readFileSync(FILE, "utf8").split("\n");
    for (const line of lines.filter((text) => text !== "")) {
      const result = JSON.parse(line) as Result;
      this.#results.set(keyOf(result.case, result.seed), result);
    }
  }

  /** Whether it was run, of this subject, and nothing spoke against it. */
  holds(name: string, seed: number, subject?: string): boolean {
    const result = this.#results.get(keyOf(name, seed));
    if (!result || result.subject !== subject) return false;
    return Object.values(result.claims).every((faults) => faults.length === 0);
  }

  add(result: Result): void {
    appendFileSync(FILE, `${JSON.stringify(result)}\n`);
  }
}

const keyOf = (name: string, seed: number): string => `${name} ${seed}`;
