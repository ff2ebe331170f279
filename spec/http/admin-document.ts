import type { AnySchemaObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  describeApi,
  type ApiDocument,
  type Operation,
} from "../../src/http/admin/document/api-document.ts";
import { endpoints } from "../../src/http/endpoints.ts";

interface Content {
  content: Record<string, { schema?: AnySchemaObject }>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: AnySchemaObject;
}

/** What was asked of the admin API, and what came of it. */
export interface Exchange {
  method: string;
  path: string;
  sent: unknown;
  status: number;
  type: string | undefined;
  body: unknown;
}

/** What is committed for those who do not run the program. */
export const API_DOCUMENT = "schema/admin.openapi.yaml";

const PLACE = "#/components/schemas/";

let written: ApiDocument | undefined;
/** The document as the program writes it. */
export const apiDocument = (): ApiDocument =>
  (written ??= describeApi(endpoints));

/** Of schemas that refer to each other by name alone. */
function createValidator(isStrict: boolean) {
  // A member that nobody described is a fault of the document, or of the answer.
  const strictly = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strictly);
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string, unknown> = Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        name === "$ref" && typeof each === "string"
          ? each.replace(PLACE, "")
          : strictly(each),
      ]),
    );
    const types = [copy["type"]].flat();
    if (isStrict && types.includes("object"))
      copy["additionalProperties"] ??= false;
    return copy;
  };
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  for (const [name, schema] of Object.entries(apiDocument().components.schemas))
    ajv.addSchema(strictly(schema) as AnySchemaObject, name);
  const compiled = new Map<object, ValidateFunction>();
  return (schema: AnySchemaObject, value: unknown): string | undefined => {
    const validate =
      compiled.get(schema) ?? ajv.compile(strictly(schema) as AnySchemaObject);
    compiled.set(schema, validate);
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  };
}

let validators: Record<
  "answer" | "request",
  ReturnType<typeof createValidator>
>;
const faultIn = (
  kind: keyof typeof validators,
  schema: AnySchemaObject,
  value: unknown,
): string | undefined => {
  validators ??= {
    answer: createValidator(true),
    request: createValidator(false),
  };
  return validators[kind](schema, value);
};

/** What a reference within the document leads to. */
export function resolve<T>(value: T | { $ref: string }): T {
  if (typeof value !== "object" || value === null || !("$ref" in value))
    return value as T;
  const found = value.$ref
    .slice(2)
    .split("/")
    .reduce<unknown>(
      (at, name) => (at as Record<string, unknown>)[name],
      apiDocument(),
    );
  if (found === undefined) throw new Error(`${value.$ref} leads nowhere.`);
  return found as T;
}

/** The operation that answers a request; a static segment wins over a parameter. */
export function findOperation(
  method: string,
  path: string,
): Operation | undefined {
  const segments = path.replace(/[?#].*$/s, "").split("/");
  const [found] = Object.entries(apiDocument().paths)
    .filter(([pattern]) => fits(pattern.split("/"), segments))
    .map(([, methods]) => methods[method.toLowerCase()])
    .filter((operation) => operation !== undefined);
  return found;
}

const fits = (pattern: readonly string[], segments: readonly string[]) =>
  pattern.length === segments.length &&
  pattern.every((each, i) => each.startsWith("{") || each === segments[i]);

/** Throws where an answer of the admin API, or a request that it took, is not as described. */
export function assertDescribed(exchange: Exchange): void {
  const { method, path, status } = exchange;
  if (!path.startsWith("/_myelin/admin/v1/")) return;
  const operation = findOperation(method, path);
  if (!operation) return;
  const fault =
    faultOfAnswer(operation, exchange) ??
    (status < 300 ? faultOfRequest(operation, exchange) : undefined);
  if (fault === undefined) return;
  const name = `${method} ${path} (${operation.operationId})`;
  throw new Error(
    `${name} answered ${status}, and is not as described: ${fault}`,
  );
}

function faultOfAnswer(
  { responses }: Operation,
  { status, type = "", body }: Exchange,
): string | undefined {
  const answers = responses as unknown as Record<
    string,
    Content | { $ref: string } | undefined
  >;
  const described = answers[String(status)] ?? answers["default"];
  if (!described) return "no such status";
  const { content } = resolve<Content>(described);
  const [plain = ""] = type.split(";");
  const media = content[plain];
  if (!media) return `no answer of ${plain}`;
  return media.schema && faultIn("answer", media.schema, body);
}

function faultOfRequest(
  operation: Operation,
  { path, sent }: Exchange,
): string | undefined {
  const [, query = ""] = path.split("?");
  const parameters = operation.parameters
    .map((each) => resolve(each) as unknown as Parameter)
    .filter((each) => each.in === "query");
  const given = new URLSearchParams(query);
  for (const { name, required, schema } of parameters) {
    const texts = given.getAll(name);
    if (required && texts.length === 0) return `${name} is missing`;
    const value = valueOf(texts, schema);
    const fault = texts.length > 0 && faultIn("request", schema, value);
    if (fault) return `${name}: ${fault}`;
  }
  const { requestBody } = operation as unknown as { requestBody?: Content };
  const schema = requestBody?.content["application/json"]?.schema;
  if (!schema || sent === undefined || Buffer.isBuffer(sent)) return undefined;
  if (sent === "") return undefined;
  const body: unknown = typeof sent === "string" ? JSON.parse(sent) : sent;
  return faultIn("request", schema, JSON.parse(JSON.stringify(body)));
}

function valueOf(texts: readonly string[], schema: AnySchemaObject): unknown {
  const { type } = resolve(schema) as { type?: unknown };
  const [text = ""] = texts;
  if (type === "array") return texts;
  if (type === "integer") return Number(text);
  return type === "boolean" ? text === "true" : text;
}
