import { readFileSync } from "node:fs";
import type { ValidateFunction } from "ajv";
import { Ajv } from "ajv";

export interface Operation {
  method: string;
  path: string;
  operationId: string;
  requestBody?: { content?: Record<string, { schema?: object }> };
  responses: Record<
    string,
    { content?: Record<string, { schema?: object }> } | undefined
  >;
}

const FILES = [
  "client-server",
  "server-server",
  "application-service",
  "push-gateway",
] as const;

/** The operations of the specification; two paths of the data end in a space. */
export function listOperations(
  files: readonly (typeof FILES)[number][] = FILES,
): Operation[] {
  return files.flatMap((file) => {
    const text = readFileSync(`schema/matrix/${file}.json`, "utf8");
    const operations = JSON.parse(text) as Operation[];
    return operations.map((each) => ({ ...each, path: each.path.trim() }));
  });
}

// The data are OpenAPI's dialect: its formats and keywords are not ajv's.
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const compiled = new Map<object, ValidateFunction>();

const patterns = listOperations()
  .map((operation) => ({ operation, pattern: patternOf(operation.path) }))
  // A static segment wins over a parameter.
  .sort((a, b) => count(a.operation.path) - count(b.operation.path));

/** The operations that a request is for; an old `r0` path is that of `v3`. */
export function findOperations(method: string, path: string): Operation[] {
  const plain = path
    .replace(/\?.*$/s, "")
    .replace(/^\/_matrix\/(client|media)\/r0\//, "/_matrix/$1/v3/");
  const found = patterns.filter(
    ({ operation, pattern }) =>
      operation.method === method && pattern.test(plain),
  );
  const first = found[0]?.operation.path;
  return found.map((f) => f.operation).filter((o) => o.path === first);
}

/**
 * Throws where an answer is not what the specification says of its operation.
 * What the specification does not know passes; an error whose status it does
 * not list need only be a standard error.
 */
export function assertResponse(
  method: string,
  path: string,
  status: number,
  body: unknown,
): void {
  const operations = findOperations(method, path);
  if (operations.length === 0 || UNSPECIFIED.test(path)) return;
  const faults = operations.map((each) => faultOf(each, status, body));
  if (faults.every((fault) => fault !== undefined)) {
    throw new Error(`${method} ${path} answered ${status}: ${faults[0]}`);
  }
}

/** Throws where a request is not what the specification says of its operation. */
export function assertRequest(
  method: string,
  path: string,
  body: unknown,
): void {
  const [operation] = findOperations(method, path);
  const schema = operation?.requestBody?.content?.["application/json"]?.schema;
  if (!schema) throw new Error(`${method} ${path} is not specified.`);
  const validate = compiled.get(schema) ?? ajv.compile(withAnyOf(schema));
  compiled.set(schema, validate);
  if (validate(body)) return;
  throw new Error(`${method} ${path}: ${ajv.errorsText(validate.errors)}`);
}
/** A parameter of MSC4140, by which what is specified answers something else. */
const UNSPECIFIED = /[?&]org\.matrix\.msc4140\.delay=/;

const TOKEN_ERRORS = ["M_MISSING_TOKEN", "M_UNKNOWN_TOKEN", "M_USER_LOCKED"];

function faultOf(
  operation: Operation,
  status: number,
  body: unknown,
): string | undefined {
  const response = operation.responses[String(status)];
  // A part of a file, and that it is the same as before, are HTTP's own answers.
  if (status === 206 || status === 304) return undefined;
  if (response === undefined || status >= 400) {
    // Interactive authentication answers 401 with its flows and no errcode.
    if (status === 401 && isObject(body) && "flows" in body) return undefined;
    const isError = isObject(body) && typeof body["errcode"] === "string";
    if (!isError)
      return `no standard error and no answer of ${operation.operationId}`;
    // Of a 401 the specification lists the flows alone.
    if (status === 401 && TOKEN_ERRORS.includes(String(body["errcode"])))
      return undefined;
    if (response === undefined) return undefined;
  }
  const isEmpty = isObject(body) && Object.keys(body).length === 0;
  if (isEmpty && MAY_BE_EMPTY.has(operation.operationId)) return undefined;
  const schema = response.content?.["application/json"]?.schema;
  if (schema === undefined) return undefined;
  const validate = compiled.get(schema) ?? ajv.compile(withAnyOf(schema));
  compiled.set(schema, validate);
  const isNullable = NULLABLE.has(operation.operationId);
  if (validate(isNullable ? withoutNulls(body) : body)) return undefined;
  return `${operation.operationId}: ${ajv.errorsText(validate.errors)}`;
}

/** An event is an object too: where the data say "one of", they mean "any of". */
const withAnyOf = (schema: object): object =>
  JSON.parse(
    JSON.stringify(schema).replaceAll('"oneOf":', '"anyOf":'),
  ) as object;

/** Where what is unset stands as null: clients and the field's suites look for the key. */
const NULLABLE = new Set(["getJoinedMembersByRoom"]);

/** What the specification says nothing of, clients take from the field: {} means that there is none. */
const MAY_BE_EMPTY = new Set(["getTurnServer"]);

const withoutNulls = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body), (_key, value: unknown) =>
    value === null ? undefined : value,
  );

function patternOf(path: string): RegExp {
  const parts = path.split(/(\{\w+\})/).map((part) => {
    if (part.startsWith("{")) return "[^/]+";
    return part.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}

function count(path: string): number {
  return path.split("{").length;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
