import { existsSync, readFileSync, readdirSync } from "node:fs";
import { expect } from "chai";

const page = readFileSync("docs/security-tests.md", "utf8");
const NAMED = /`((?:spec|test)\/[\w./-]+\.ts)` “([^”]+)”/g;
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Rows that have to have a test of their own name. */
const ROWS = [
  ...range(38, 53),
  ...[11, ...range(54, 64), 66, ...range(70, 77)],
];
const SERVED = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19];

/** A control, an advisory, or the number of a row of faults. */
const IDS = /^C\d+\b|^\d+(?= )|CVE-\d+-\d+|GHSA(?:-\w{4}){3}|RUSTSEC-\d+-\d+/g;

/** Rows are named “row 42” and “rows 42, 47”. */
const namesId = (line: string, id: string): boolean =>
  /^\d/.test(id)
    ? new RegExp(`\\brows? (?:\\d+, )*${id}\\b`).test(line)
    : line.includes(id);

describe("docs/security-tests.md", () => {
  const named = [...page.matchAll(NAMED)].map(
    ([, file = "", name = ""]) => [file, name] as const,
  );

  it("names tests that are there", () => {
    expect(named.length).to.be.above(150);
    const absent = named.filter(
      ([file, name]) =>
        !existsSync(file) || !readFileSync(file, "utf8").includes(name),
    );
    expect(absent).to.deep.equal([]);
  });

  it("names in the tests of a row what the row is about", () => {
    const [proved = ""] = page.split("## Later");
    const rows = [...proved.matchAll(/^\| ([^|]+) \| (.*) \|$/gm)].filter(
      ([, , tests = ""]) => tests.includes("“"),
    );
    expect(rows.length).to.be.above(120);
    for (const [, subject = "", tests = ""] of rows) {
      const titles = [...tests.matchAll(NAMED)].flatMap(
        ([, file = "", name = ""]) =>
          readFileSync(file, "utf8")
            .split("\n")
            .filter((line) => line.includes(name)),
      );
      for (const id of subject.match(IDS) ?? [])
        expect(
          titles.some((line) => namesId(line, id)),
          `${subject}: ${id}`,
        ).to.equal(true);
    }
  });

  it("has every control that holds for what is served", () => {
    for (const number of SERVED)
      expect(page, `C${number}`).to.match(new RegExp(`^\\| C${number} `, "m"));
  });

  it("names a test after each row that stands for load and hostile input", () => {
    for (const row of ROWS) {
      const line = new RegExp(`^\\| ${row} .*$`, "m").exec(page)?.[0] ?? "";
      const names = [...line.matchAll(NAMED)].map(([, , name]) => name);
      const own = new RegExp(`\\brows? (\\d+, )*${row}\\b`);
      expect(
        names.filter((name) => own.test(name ?? "")),
        `row ${row}`,
      ).not.to.deep.equal([]);
    }
  });

  it("names each spec of this folder", () => {
    const specs = readdirSync("spec/security").filter(
      (file) => file.endsWith(".spec.ts") && file !== "table.spec.ts",
    );
    expect(specs.length).to.be.above(10);
    const files = new Set<string>(named.map(([file]) => file));
    for (const file of specs)
      expect(files.has(`spec/security/${file}`), file).to.equal(true);
  });
});
