import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => [file, readFileSync(join("src", file), "utf8")] as const);

const filesWith = (pattern: RegExp): string[] =>
  sources.flatMap(([file, text]) => (pattern.test(text) ? [file] : []));

describe("the sources", () => {
  it("are seen", () => {
    expect(sources.length).to.be.above(250);
    expect(filesWith(/\bimport\b/).length).to.be.above(200);
  });

  it("C10: make no regular expression of a text", () => {
    expect(filesWith(/\bRegExp\s*\(/)).to.deep.equal([]);
  });

  it("row 49 CVE-2022-3971: make no SQL of a text but the migrations'", () => {
    expect(filesWith(/\.unsafe\(/)).to.deep.equal(["storage/migrate.ts"]);
  });

  it("row 45: copy no keys of strangers onto objects with a prototype", () => {
    expect(filesWith(/Object\.assign\(/)).to.deep.equal([]);
  });

  it("C1: parse what comes from outside by the bounded reader alone", () => {
    // These read what this server wrote itself: from its tables, its folder, its bus.
    const ours = /^(storage|domain|cli)\//;
    const readers = filesWith(/JSON\.parse\(/);
    expect(readers.filter((file) => !ours.test(file))).to.deep.equal([
      "core/json-reader.ts",
      "core/json-tokens.ts",
      "core/member-spans.ts",
    ]);
    expect(filesWith(/\breadBody\(/)).to.deep.equal([
      "http/body.ts",
      "http/middleware/8-body.ts",
    ]);
  });

  it("C8: call other machines through the one client alone", () => {
    const callers =
      /\bfetch\(|\b(?:request|get|connect|createConnection)\b[^;]*from "node:(?:http|https|http2|net|tls)"|from "(?:node:dns[^"]*|undici)"/;
    const elsewhere = filesWith(callers).filter(
      (file) => !file.startsWith("remote/"),
    );
    expect(elsewhere).to.deep.equal([]);
    expect(filesWith(callers)).to.include("remote/connections.ts");
  });

  it("C19: write to the console nowhere, and to the log no body, header or query", () => {
    expect(filesWith(/\bconsole\./)).to.deep.equal([]);
    const logged =
      /\blog\.(?:debug|info|warn|error)\(\s*\{[^}]*\b(?:body|headers|query|password|token)\b[^}]*\}/;
    expect(filesWith(logged)).to.deep.equal([]);
  });
});
