import { expect } from "chai";
import { factsOf } from "../../src/domain/admin/permissions.ts";
import { pathsOf } from "../../src/http/compile.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import { compileSchema } from "../../src/http/schema.ts";
import { notImplemented } from "../../src/http/not-implemented.ts";
import { listOperations } from "./response-schema.ts";

/** Method and path with parameters made nameless: their names may differ. */
const shapeOf = (method: string, path: string): string =>
  `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}|:[A-Za-z]+/g, "{}")}`;

const specified = new Set(
  listOperations().map(({ method, path }) => shapeOf(method, path)),
);
const served = new Set(
  endpoints.flatMap((each) =>
    pathsOf(each).map((path) => shapeOf(each.method, path)),
  ),
);
const named = notImplemented.flatMap(({ operations }) =>
  operations.map((operation) => {
    const [method = "", path = ""] = operation.split(" ");
    return shapeOf(method, path);
  }),
);

describe("endpoints", () => {
  it("sees the whole specification", () => {
    expect(specified.size).to.equal(210);
  });

  it("checks what it takes by schemas that can be compiled", () => {
    const schemas = endpoints.flatMap(({ body, query }) => [
      ...(body ? [body] : []),
      ...(query ? [query] : []),
    ]);
    expect(schemas).to.have.length.above(100);
    for (const schema of schemas)
      expect(() => compileSchema(schema)(null)).not.to.throw();
  });

  it("judges what a second person may have to approve before one is asked", () => {
    const lists = ["DELETE /_myelin/admin/v1/users/:userId/media"];
    const destroying = endpoints.filter(
      ({ permission }) => permission && factsOf(permission).class.includes("D"),
    );
    expect(destroying).to.have.length.above(20);
    const unjudged = destroying
      .filter(({ validate }) => !validate)
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    // What it takes is judged by its schema alone.
    expect(unjudged).to.deep.equal(lists);
  });

  it("serves each operation of the specification or names why not", () => {
    const known = new Set([...served, ...named]);
    expect([...specified].filter((each) => !known.has(each))).to.deep.equal([]);
  });

  it("names as not implemented only what is specified, and not served", () => {
    const wrong = named.filter((n) => !specified.has(n) || served.has(n));
    expect(wrong).to.deep.equal([]);
    expect(new Set(named).size).to.equal(named.length);
  });

  it("gives a reason for each", () => {
    for (const { reason } of notImplemented) expect(reason).to.match(/\w+\.$/);
  });
});
