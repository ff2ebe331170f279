import { pathsOf } from "../../../src/http/compile.ts";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { findOperations } from "../../http/response-schema.ts";
import { brokenBodies, mutateBody } from "./body-mutations.ts";
import type { HostileBody } from "./body-mutations.ts";
import { isStrict, type Expectation } from "./expectation.ts";
import { schemaOf, type Schema } from "./schema.ts";
import type { ValidRequest } from "./stage.ts";
import { mutatePath, mutateQuery } from "./target-mutations.ts";

export interface HostileRequest {
  label: string;
  method: string;
  target: string;
  body: string | Buffer | undefined;
  headers: Record<string, string>;
  expectation: Expectation;
}

/** Requests that differ from a valid one in one place, for each place of the endpoint. */
export function* hostileRequests(
  endpoint: Endpoint,
  valid: ValidRequest,
): Generator<HostileRequest> {
  const { headers = {} } = valid;
  for (const request of requestsOf(endpoint, valid))
    yield { ...request, headers };
}

function* requestsOf(
  endpoint: Endpoint,
  valid: ValidRequest,
): Generator<Omit<HostileRequest, "headers">> {
  const { method, target } = valid;
  const body = valid.body && JSON.stringify(valid.body);
  for (const other of METHODS)
    if (!servedMethods(target).has(other))
      yield {
        ...{ label: other, method: other, target, body },
        expectation: "unserved",
      };
  for (const path of mutatePath(endpoint.path, target))
    yield { ...path, method, body };
  for (const query of mutateQuery((endpoint.query ?? {}) as Schema, target))
    // Without a schema nobody reads the query, but for its access token.
    if (endpoint.query || query.expectation !== "malformed")
      yield { ...query, method, body };
  if (endpoint.body && valid.body) {
    for (const { text, ...broken } of brokenBodies(
      valid.body,
      endpoint.maxBodyBytes ?? 128 * 1024,
    ))
      yield { ...broken, method, target, body: text };
    for (const { text, ...mutated } of mutationsOf(endpoint, valid))
      yield { ...mutated, method, target, body: text };
  }
}

const METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND"];

const shapes = endpoints.flatMap((endpoint) =>
  pathsOf(endpoint).map((path) => ({
    method: endpoint.method.toUpperCase(),
    segments: path.split("/"),
  })),
);

function servedMethods(target: string): Set<string> {
  const [path = ""] = target.split("?");
  const segments = path.split("/");
  const matching = shapes.filter(
    (shape) =>
      shape.segments.length === segments.length &&
      shape.segments.every(
        (segment, i) =>
          segment === segments[i] ||
          (segment.startsWith(":") && segments[i] !== ""),
      ),
  );
  return new Set(matching.map((shape) => shape.method));
}

/** By our schema, then by the specification's and by the body's own shape, which promise less. */
function* mutationsOf(
  endpoint: Endpoint,
  { method, target, body }: ValidRequest,
): Generator<HostileBody> {
  const seen = new Set<string>();
  for (const mutated of mutateBody(endpoint.body as Schema, body)) {
    seen.add(mutated.text);
    yield mutated;
  }
  for (const schema of [...specifiedSchemas(method, target), schemaOf(body)])
    for (const mutated of mutateBody(schema, body)) {
      if (seen.has(mutated.text)) continue;
      seen.add(mutated.text);
      const isMalformed = mutated.expectation === "malformed";
      yield isMalformed ? mutated : { ...mutated, expectation: "answered" };
    }
}

const specifiedSchemas = (method: string, target: string): Schema[] =>
  findOperations(method, target).flatMap(({ requestBody }) => {
    const schema = requestBody?.content?.["application/json"]?.schema;
    return schema === undefined ? [] : [schema];
  });

export const strictOnes = (requests: readonly HostileRequest[]) =>
  requests.filter(({ expectation }) => isStrict(expectation));
export const looseOnes = (requests: readonly HostileRequest[]) =>
  requests.filter(({ expectation }) => !isStrict(expectation));
