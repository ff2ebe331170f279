// The tables beside the tests: behaviours.tsv (every row that one server answers), left-out.tsv, results.tsv.
import { readFileSync, writeFileSync } from "node:fs";
import { keyOf, type RowName } from "./registry.ts";

const FOLDER = "test/conformance";

function read(file: string): string[][] {
  const lines = readFileSync(`${FOLDER}/${file}`, "utf8").trimEnd().split("\n");
  return lines.slice(1).map((line) => line.split("\t"));
}

const nameOf = ([group = "", test = "", name = ""]: string[]): RowName => ({
  group,
  test,
  case: name,
});

export const listBehaviours = (): RowName[] =>
  read("behaviours.tsv").map(nameOf);

export interface LeftOut extends RowName {
  reason: string;
}

export const listLeftOut = (): LeftOut[] =>
  read("left-out.tsv").map((cells) => ({
    ...nameOf(cells),
    reason: cells[3] ?? "",
  }));

export type Verdict = "pass" | "fail" | "";

export interface Result extends RowName {
  ours: Verdict;
  synapse: Verdict;
  /** Written by hand: why a server fails, and whose fault it is. Runs keep it. */
  note: string;
}

const verdict = (cell: string | undefined): Verdict =>
  cell === "pass" || cell === "fail" ? cell : "";

export const readResults = (): Map<string, Result> =>
  new Map(
    read("results.tsv").map((cells) => {
      const result: Result = {
        ...nameOf(cells),
        ours: verdict(cells[3]),
        synapse: verdict(cells[4]),
        note: cells[5] ?? "",
      };
      return [keyOf(result), result];
    }),
  );

/** Replaces one column of results.tsv: the behaviours in their order, then rows of our own. Rows no longer tested disappear. */
export function recordResults(
  column: "ours" | "synapse",
  verdicts: Map<string, Verdict>,
): void {
  const before = readResults();
  const keys = new Set(listBehaviours().map(keyOf));
  for (const own of [...verdicts.keys()].toSorted()) keys.add(own);
  const lines = [...keys].flatMap((key) => {
    const found = verdicts.get(key);
    if (found === undefined) return [];
    const { ours = "", synapse = "", note = "" } = before.get(key) ?? {};
    const cells = { ours, synapse, note, [column]: found };
    return [[key, cells.ours, cells.synapse, cells.note].join("\t")];
  });
  const head = "group\ttest\tcase\tours\tsynapse\tnote";
  writeFileSync(`${FOLDER}/results.tsv`, `${[head, ...lines].join("\n")}\n`);
}
