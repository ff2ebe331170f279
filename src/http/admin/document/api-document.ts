import type { SchemaObject } from "ajv";
import type { JsonObject } from "../../../core/json.ts";
import { factsOf } from "../../../domain/admin/permissions.ts";
import { pathsOf } from "../../compile.ts";
import type { Description, Endpoint } from "../../endpoint.ts";
import { EVENT_ID, ROOM_ID, TEXT, USER_ID } from "../../json-schema.ts";
import { NAME, nameParam, numberParam } from "../names.ts";
import { pageProperties } from "../paging.ts";
import { groundsProperties, native } from "../tools.ts";
import { REFUSALS, type RefusalName } from "./errors.ts";
import { collectSchemas, type Schemas } from "./schemas.ts";
import { inOrder, topicOf } from "./topics.ts";

export interface Operation extends JsonObject {
  tags: string[];
  operationId: string;
  summary: string;
  parameters: JsonObject[];
  responses: JsonObject;
}

/** The admin API in the words of OpenAPI 3.1. */
export interface ApiDocument extends JsonObject {
  info: { title: string; version: string; description: string };
  tags: { name: string }[];
  paths: { [path: string]: { [method: string]: Operation } };
  components: {
    parameters: JsonObject;
    responses: JsonObject;
    schemas: JsonObject;
    securitySchemes: JsonObject;
  };
}

const ROOT = native("/");

/**
 * Writes the document from the endpoints themselves: what they take is what is checked.
 * @throws TypeError for an endpoint of the admin API that does not describe itself
 */
export function describeApi(endpoints: readonly Endpoint[]): ApiDocument {
  const schemas = collectSchemas();
  const operations = endpoints
    .flatMap((endpoint) =>
      pathsOf(endpoint)
        .filter((path) => path.startsWith(ROOT))
        .map((path) => ({ path, endpoint })),
    )
    .map(({ path, endpoint }) => ({
      path: path.replaceAll(/:(\w+)/g, "{$1}"),
      method: endpoint.method,
      operation: operationOf(endpoint, path, schemas),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const paths: ApiDocument["paths"] = {};
  for (const { path, method, operation } of operations)
    (paths[path] ??= {})[method] = operation;
  const tags = operations.flatMap(({ operation }) => operation.tags);
  const responses = writeRefusals(schemas);
  return {
    openapi: "3.1.0",
    info: {
      title: "Myelin admin API",
      version: "1",
      description:
        "What administrators do, and who may: see docs/administration.md.",
    },
    security: [{ accessToken: [] }],
    tags: inOrder(tags).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { accessToken: { type: "http", scheme: "bearer" } },
      parameters: sharedParameters(schemas),
      responses,
      schemas: schemas.all(),
    },
  };
}

function operationOf(
  endpoint: Endpoint,
  path: string,
  schemas: Schemas,
): Operation {
  const { doc, permission, isPublic } = endpoint;
  if (!doc)
    throw new TypeError(
      `${endpoint.method} ${path} has no "doc", which says what it is for.`,
    );
  const remarks = remarksOf(endpoint);
  const body = doc.takes ?? endpoint.body;
  return {
    tags: [topicOf(path.slice(ROOT.length))],
    operationId: doc.id,
    summary: doc.says,
    ...(remarks !== "" && { description: remarks }),
    ...(permission !== undefined && {
      "x-myelin-permission": permission,
      "x-myelin-class": factsOf(permission).class,
    }),
    ...(isPublic && { security: [] }),
    parameters: [
      ...pathParameters(endpoint, path, schemas),
      ...queryParameters(endpoint, schemas),
      ...groundParameters(endpoint),
    ],
    ...(body && {
      requestBody: {
        required: endpoint.method === "put" || "required" in body,
        content: { "application/json": { schema: schemas.write(body) } },
      },
    }),
    responses: {
      ...answersOf(doc, schemas),
      ...refusalsOf(endpoint, path),
    },
  };
}

function remarksOf({ permission, alsoTakes }: Endpoint): string {
  const of = permission === undefined ? "plain" : factsOf(permission).class;
  return [
    of.includes("D") &&
      "It destroys, or cannot be undone: it may take the approval of a second person.",
    of.includes("P") &&
      "It reads what people wrote or did: it may take a case and a reason.",
    alsoTakes && "What the body asks for may take other permissions too.",
  ]
    .filter((remark) => typeof remark === "string")
    .join(" ");
}

const IDS: Readonly<Record<string, SchemaObject>> = {
  userId: USER_ID,
  roomId: ROOM_ID,
  eventId: EVENT_ID,
};
const PARSED = new Map<unknown, SchemaObject>([
  [numberParam, { type: "integer", minimum: 1 }],
  [nameParam, NAME],
]);

const pathParameters = (
  { params = {} }: Endpoint,
  path: string,
  schemas: Schemas,
): JsonObject[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: schemas.write(PARSED.get(params[name]) ?? IDS[name] ?? TEXT),
  }));

const SHARED = {
  From: {
    name: "from",
    in: "query",
    description:
      "Where the page begins: 0, or the `next_token` of the one before.",
    of: pageProperties.from,
  },
  Limit: {
    name: "limit",
    in: "query",
    description: "How many are told at once.",
    of: pageProperties.limit,
  },
  Direction: {
    name: "dir",
    in: "query",
    description: "`f` for the order as it is, `b` for its reverse.",
    of: pageProperties.dir,
  },
  CaseId: {
    name: "case_id",
    in: "query",
    description: "As the header `X-Myelin-Case`.",
    of: groundsProperties.case_id,
  },
  Grounds: {
    name: "reason",
    in: "query",
    description: "As the header `X-Myelin-Reason`.",
    of: groundsProperties.reason,
  },
  CaseHeader: {
    name: "X-Myelin-Case",
    in: "header",
    description: "The case that it is done for; the audit log holds it.",
    of: groundsProperties.case_id,
  },
  GroundsHeader: {
    name: "X-Myelin-Reason",
    in: "header",
    description: "Why it is done; the audit log holds it.",
    of: groundsProperties.reason,
  },
} as const;

const refer = (name: keyof typeof SHARED): JsonObject => ({
  $ref: `#/components/parameters/${name}`,
});

const sharedParameters = (schemas: Schemas): JsonObject =>
  Object.fromEntries(
    Object.entries(SHARED).map(([name, { of, ...parameter }]) => [
      name,
      { ...parameter, schema: schemas.write(of) },
    ]),
  );

const sharedName = (
  name: string,
  schema: unknown,
): keyof typeof SHARED | undefined =>
  (Object.keys(SHARED) as (keyof typeof SHARED)[]).find((each) => {
    const { name: itsName, of } = SHARED[each];
    return itsName === name && of === schema;
  });

function queryParameters({ query }: Endpoint, schemas: Schemas): JsonObject[] {
  const properties = (query?.["properties"] ?? {}) as Record<
    string,
    SchemaObject
  >;
  const required = (query?.["required"] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, schema]) => {
    const shared = sharedName(name, schema);
    if (shared !== undefined) return refer(shared);
    return {
      ...{ name, in: "query", required: required.includes(name) },
      schema: schemas.write(schema),
    };
  });
}

/** For what case and why: whoever reads what people wrote may have to say it. */
function groundParameters({ permission, query }: Endpoint): JsonObject[] {
  if (permission === undefined) return [];
  const isAsked = factsOf(permission).class.includes("P");
  const known = (query?.["properties"] ?? {}) as object;
  return [
    ...(isAsked && !("case_id" in known) ? [refer("CaseId")] : []),
    ...(isAsked && !("reason" in known) ? [refer("Grounds")] : []),
    refer("CaseHeader"),
    refer("GroundsHeader"),
  ];
}

function answersOf(
  { answers, also = [] }: Description,
  schemas: Schemas,
): JsonObject {
  const content = isTypes(answers)
    ? Object.fromEntries(answers.map((type) => [type, {}]))
    : { "application/json": { schema: schemas.write(answers) } };
  const statuses = [200, ...also].map(String);
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: SAYS[status] ?? "It is done.", content },
    ]),
  );
}

const SAYS: Readonly<Record<string, string>> = {
  "200": "It is done, or told.",
  "201": "It was made.",
};

const isTypes = (
  answers: Description["answers"],
): answers is readonly string[] => Array.isArray(answers);

function refusalsOf(endpoint: Endpoint, path: string): JsonObject {
  const { isPublic, query, body } = endpoint;
  const hasParams = path.includes(":");
  const names: RefusalName[] = [
    ...(query || body || hasParams ? (["BadRequest"] as const) : []),
    ...(isPublic ? [] : (["Unauthorized", "Forbidden"] as const)),
    ...(hasParams || body ? (["NotFound"] as const) : []),
    ...(["LimitExceeded", "Fault"] as const),
  ];
  return Object.fromEntries(
    names.map((name) => [
      REFUSALS[name].status,
      { $ref: `#/components/responses/${name}` },
    ]),
  );
}

const writeRefusals = (schemas: Schemas): JsonObject =>
  Object.fromEntries(
    Object.entries(REFUSALS).map(([name, { says, schema }]) => [
      name,
      {
        description: says,
        content: { "application/json": { schema: schemas.write(schema) } },
      },
    ]),
  );
