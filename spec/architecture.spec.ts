import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";

/** What each layer of src/ may import besides itself. This table is the architecture. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  util: [],
  config: ["core", "util"],
  storage: ["core", "util"],
  remote: ["core", "util"],
  workers: ["core", "util"],
  "edges.ts": ["core", "util", "storage", "remote", "workers"],
  domain: ["core", "util", "storage", "remote", "edges.ts"],
  http: ["core", "util", "domain", "edges.ts"],
};

const PACKAGES: Record<string, RegExp> = {
  core: /^node:crypto$/,
  util: /^node:crypto$/,
  config: /^(node:.*|ajv|yaml)$/,
  storage: /^(node:.*|postgres)$/,
  remote: /^(node:.*|nodemailer|undici|@aws-sdk\/client-s3)$/,
  workers: /^(node:.*|@node-rs\/argon2|sharp|htmlparser2)$/,
  "edges.ts": /^node:crypto$/,
  domain: /^node:(crypto|events|timers\/promises)$/,
  http: /^(node:.*|koa|@koa\/router|ajv)$/,
};

/** What puts the parts together may import anything. */
const FREE = /^(cli|server\.ts|main\.ts|compose-[a-z-]+\.ts)$/;

const ROOT = "src";
const sources = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
  .sort();

const layerOf = (path: string) => path.split("/")[0] ?? "";

const IMPORT =
  /^(?:import|export)\s(?:[^'"=;]*?\sfrom\s)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

/** What a text imports, as written. */
const listImports = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map(([, plain, called]) => plain ?? called ?? "");

/** Imports of our own files as paths below src/. */
const listOwn = (file: string, targets: readonly string[]): string[] =>
  targets
    .filter((target) => target.startsWith("."))
    .map((target) => join(dirname(file), target).replaceAll("\\", "/"));

/** Why a file of a layer may not have these imports. */
function listFaults(file: string, targets: readonly string[]): string[] {
  const layer = layerOf(file);
  const allowed = [layer, ...(MAY_IMPORT[layer] ?? [])];
  const packages = PACKAGES[layer] ?? /^$/;
  const strangers = targets.filter(
    (target) => !target.startsWith(".") && !packages.test(target),
  );
  const outside = listOwn(file, targets).filter(
    (target) => !allowed.includes(layerOf(target)),
  );
  return [...strangers, ...outside];
}

/** One import cycle, if there is any. */
function findCycle(
  graph: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}

const importsOf = new Map(
  sources.map((file) => [
    file,
    listImports(readFileSync(join(ROOT, file), "utf8")),
  ]),
);

describe("architecture", () => {
  it("sees the sources and their imports", () => {
    expect(sources).to.have.length.above(50);
    expect(importsOf.get("edges.ts")).to.have.length.above(3);
  });

  it("knows every layer", () => {
    const unknown = sources.filter(
      (file) => !FREE.test(layerOf(file)) && !(layerOf(file) in MAY_IMPORT),
    );
    expect(unknown).to.deep.equal([]);
  });

  it("finds what is forbidden", () => {
    const text = `import type { A } from "../http/app.ts";
      const x = await import("postgres");
import {
  B,
  type C,
} from "../../util/b.ts";
export { D } from "./d.ts";
import "koa";`;
    const found = listImports(text);
    expect(found).to.have.members([
      ...["../http/app.ts", "postgres", "../../util/b.ts", "./d.ts", "koa"],
    ]);
    expect(
      listFaults("domain/x.ts", ["postgres", "../http/app.ts"]),
    ).to.deep.equal(["postgres", "http/app.ts"]);
    expect(
      listFaults("http/client/x.ts", ["../../storage/x.ts"]),
    ).to.deep.equal(["storage/x.ts"]);
    expect(
      listFaults("domain/x.ts", ["../core/y.ts", "node:crypto"]),
    ).to.deep.equal([]);
    const cycle = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(findCycle(cycle)).to.deep.equal(["b", "c", "b"]);
  });

  for (const layer of Object.keys(MAY_IMPORT)) {
    it(`holds ${layer} to its imports`, () => {
      const faults = sources
        .filter((file) => layerOf(file) === layer)
        .flatMap((file) =>
          listFaults(file, importsOf.get(file) ?? []).map(
            (fault) => `${file} imports ${fault}`,
          ),
        );
      expect(faults).to.deep.equal([]);
    });
  }

  it("has no import cycle", () => {
    const graph = new Map(
      [...importsOf].map(([file, targets]) => [file, listOwn(file, targets)]),
    );
    expect(findCycle(graph)).to.equal(undefined);
  });
});
