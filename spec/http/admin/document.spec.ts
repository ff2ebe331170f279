import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "chai";
import { parse } from "yaml";
import { yamlOf } from "../../../src/core/yaml.ts";
import { isPermission } from "../../../src/domain/admin/permissions.ts";
import { compileEndpoints, pathsOf } from "../../../src/http/compile.ts";
import { describeApi } from "../../../src/http/admin/document/api-document.ts";
import { endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { EMPTY } from "../../../src/http/json-schema.ts";
import {
  API_DOCUMENT,
  apiDocument,
  assertDescribed,
  findOperation,
  resolve,
} from "../admin-document.ts";
import { useServer } from "../../support/server.ts";

const ROOT = "/_myelin/admin/v1";
const text = readFileSync(API_DOCUMENT, "utf8");
const document = apiDocument();

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

/** Every value of a key in the document, at whatever depth. */
function* valuesOf(key: string, value: unknown): Generator {
  if (typeof value !== "object" || value === null) return;
  for (const [name, each] of Object.entries(value)) {
    if (name === key) yield each;
    yield* valuesOf(key, each);
  }
}

describe("schema/admin.openapi.yaml", () => {
  it("is what the endpoints say of themselves (else run `npm run api:dump`)", () => {
    expect(text).to.equal(yamlOf(document));
  });

  it("is YAML that says the same", () => {
    expect(parse(text)).to.deep.equal(JSON.parse(JSON.stringify(document)));
  });

  it("has each registered route, with its permission, and no other one", () => {
    const served = endpoints
      .flatMap((each) => pathsOf(each).map((path) => ({ ...each, path })))
      .filter(({ path }) => path.startsWith(`${ROOT}/`))
      .map(({ method, path, permission }) => {
        const name = path.replaceAll(/:(\w+)/g, "{$1}");
        return `${method.toUpperCase()} ${name} ${permission ?? ""}`;
      });
    expect(served.length).to.be.above(100);
    const described = operations.map(
      ({ name, operation }) =>
        `${name} ${String(operation["x-myelin-permission"] ?? "")}`,
    );
    expect(described.sort()).to.deep.equal(served.sort());
    for (const permission of valuesOf("x-myelin-permission", document))
      expect(isPermission(String(permission))).to.equal(true);
  });

  it("names each operation and what it does, once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { name, operation } of operations) {
      expect(operation.operationId, name).to.match(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, name).to.match(/^[A-Z].*\.$/);
    }
  });

  it("names the parameters of each path, and refers to what is there", () => {
    for (const { name, operation } of operations) {
      const named = [...name.matchAll(/\{(\w+)\}/g)].map(([, each]) => each);
      const described = operation.parameters
        .map((each) => resolve(each))
        .filter((each) => each["in"] === "path");
      expect(described.map((each) => each["name"])).to.deep.equal(named);
    }
    const references = [...valuesOf("$ref", document)].map(String);
    expect(references).to.have.length.above(100);
    for (const $ref of references) expect(resolve({ $ref })).to.be.an("object");
  });

  it("has schemas that are schemas, and uses all that have a name", () => {
    const ajv = new Ajv2020({ allowUnionTypes: true, strictRequired: false });
    const { schemas } = document.components;
    ajv.addSchema({ $id: "api", $defs: schemas, components: { schemas } });
    for (const schema of valuesOf("schema", document))
      expect(ajv.validateSchema(schema as object)).to.equal(true);
    const used = new Set(valuesOf("$ref", document));
    const names = Object.keys(schemas);
    const idle = names.filter(
      (name) => !used.has(`#/components/schemas/${name}`),
    );
    expect(idle).to.deep.equal([]);
  });

  it("is not written where an endpoint does not describe itself", () => {
    const silent = endpoint({
      method: "get",
      path: `${ROOT}/silent`,
      auth: "user",
      adminToken: true,
      async handle() {
        return {};
      },
    });
    expect(() => describeApi([silent])).to.throw(TypeError, "silent");
  });

  it("C13: leaves open no other path of administrators than its own", () => {
    const spec = {
      method: "get",
      path: `${ROOT}/open`,
      auth: "none",
      doc: { id: "open", says: "Open.", answers: EMPTY },
      async handle() {
        return {};
      },
    } as const;
    expect(() => compileEndpoints([endpoint(spec)])).to.throw("permission");
    const open = endpoints.filter(({ isPublic }) => isPublic);
    expect(open.map(({ path }) => path)).to.deep.equal([
      `${ROOT}/openapi.yaml`,
      `${ROOT}/openapi.json`,
      `${ROOT}/docs`,
    ]);
  });
});

describe("the check of the admin API against its document", () => {
  const path = `${ROOT}/groups?limit=1`;
  const group = {
    ...{ group_id: "g", description: "", members: 0 },
    ...{ created_by: "@a:b", created_ts: 1 },
  };
  const exchange = {
    ...{ method: "GET", path, sent: undefined, status: 200 },
    type: "application/json; charset=utf-8",
    body: { groups: [group], total: 1 } as object,
  };

  it("takes what is as described", () => {
    assertDescribed(exchange);
    const body = { errcode: "M_FORBIDDEN", error: "No." };
    assertDescribed({
      ...exchange,
      status: 403,
      body: { ...body, "org.myelin.permission": "groups.read" },
    });
  });

  const refused: Readonly<Record<string, object>> = {
    "a member that nobody described": {
      body: { groups: [{ ...group, secret: "x" }], total: 1 },
    },
    "a member that is missing": { body: { groups: [group] } },
    "a value of another type": {
      body: { groups: [{ ...group, created_ts: "1" }], total: 1 },
    },
    "a parameter that it should not have taken": {
      path: `${ROOT}/groups?limit=0`,
    },
    "another media type": { type: "text/html" },
    "an error that is none": { status: 404, body: {} },
    "an error with more to it": {
      status: 403,
      body: { errcode: "M_FORBIDDEN", error: "No.", stack: "at x" },
    },
  };
  for (const [what, changes] of Object.entries(refused))
    it(`refuses ${what}`, () => {
      expect(() => assertDescribed({ ...exchange, ...changes })).to.throw();
    });

  it("finds a static segment before a parameter", () => {
    const idOf = (target: string) =>
      findOperation("GET", `${ROOT}${target}`)?.operationId;
    expect(idOf("/media/quarantine_changes?from=1")).to.equal(
      "readQuarantineChanges",
    );
    expect(idOf("/media/test/abc")).to.equal("getMedium");
    expect(idOf("/nowhere")).to.equal(undefined);
  });
});

describe("the document of the admin API, as it is served", () => {
  const server = useServer();

  it("is the file that is committed, for anybody", async () => {
    const yaml = await server.get(`${ROOT}/openapi.yaml`);
    expect(yaml.status).to.equal(200);
    expect(yaml.headers["content-type"]).to.equal("application/yaml");
    expect(yaml.text).to.equal(text);
    const json = await server.get(`${ROOT}/openapi.json`);
    expect(json.body).to.deep.equal(parse(text));
  });

  it("is a page that has every operation, and runs and loads nothing", async () => {
    const { status, headers, text: html } = await server.get(`${ROOT}/docs`);
    expect(status).to.equal(200);
    expect(headers["content-type"]).to.equal("text/html; charset=utf-8");
    const policy = String(headers["content-security-policy"]);
    expect(policy).to.match(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers["x-frame-options"]).to.equal("DENY");
    expect(html).to.not.match(
      /<script|<link|<img|<iframe|<[^>]+\s(?:style|on\w+)=/i,
    );
    expect(html).to.not.match(/(?:src|href)="(?!#|openapi\.yaml")/);
    for (const { operation } of operations) {
      const { operationId } = operation;
      expect(html).to.include(`<section id="${operationId}">`);
      const permission = operation["x-myelin-permission"];
      if (permission !== undefined)
        expect(html).to.include(`<code>${String(permission)}</code>`);
    }
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const [, id] of html.matchAll(/href="#([^"]+)"/g))
      expect(ids).to.include(id);
  });

  it("answers nothing but GET and HEAD", async () => {
    for (const path of ["openapi.yaml", "openapi.json", "docs"]) {
      const answer = await server.post(`${ROOT}/${path}`);
      expect(answer.status).to.equal(405);
    }
  });
});
