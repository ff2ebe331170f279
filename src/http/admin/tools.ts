import { MatrixError } from "../../core/errors.ts";
import type { Grounds } from "../../domain/admin/administrator.ts";
import type { RequestInfo } from "../endpoint.ts";

/** Paths of the admin API that Synapse's tools call, and of our own for the same. */
export const synapse = (path: string): string => `/_synapse/admin/v1${path}`;
export const native = (path: string): string => `/_myelin/admin/v1${path}`;

/** An endpoint that is served at both. */
export const atBoth = (path: string): { path: string; also: string[] } => ({
  path: synapse(path),
  also: [native(path)],
});

/** What the tools fill in with one of a few words, or leave empty. */
export const choiceProperty = { type: "string", maxLength: 32 };

/** Undefined where it is empty. @throws MatrixError M_INVALID_PARAM */
export function choiceOf<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined || text === "") return undefined;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `"${name}" must be one of: ${choices.join(", ")}.`,
  );
}

const FLAGS = ["true", "false", "True", "False"] as const;

/** Some write it in Python's way. Null where it is not said. */
export function flagOf(name: string, text: string | undefined): boolean | null {
  const flag = choiceOf(name, text, FLAGS);
  return flag === undefined ? null : flag.toLowerCase() === "true";
}

/** What every list takes from these tools, which ask for any number. */
export interface ListQuery {
  from?: number;
  limit?: number;
  dir?: string;
}

export const listProperties = {
  from: { type: "integer", minimum: 0, maximum: 1_000_000_000 },
  limit: { type: "integer", minimum: 0 },
  dir: choiceProperty,
};

/** Undefined where it is not said. */
export const directionOf = ({ dir }: ListQuery): "f" | "b" | undefined =>
  choiceOf("dir", dir, ["f", "b"]);

const MOST_LISTED = 500;

export const listPageOf = ({ from = 0, limit = 100 }: ListQuery) => ({
  offset: from,
  limit: Math.min(limit, MOST_LISTED),
});

/** Where the next page begins, as a number. */
export const nextOf = (
  { from = 0 }: ListQuery,
  shown: number,
  total: number,
): number | undefined =>
  shown > 0 && from + shown < total ? from + shown : undefined;

/** By which somebody says why they read what others wrote. */
export interface GroundsQuery {
  case_id?: string;
  reason?: string;
}

const ground = { type: "string", maxLength: 256 };
export const groundsProperties = { case_id: ground, reason: ground };
const LONGEST_GROUND = 256;

/** What was said of it in the headers, or the query. */
export function groundsOf(
  { headers }: RequestInfo,
  query: GroundsQuery = {},
): Grounds {
  const textOf = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string"
      ? value.slice(0, LONGEST_GROUND)
      : undefined;
  };
  const caseId = query.case_id ?? textOf("x-myelin-case");
  const reason = query.reason ?? textOf("x-myelin-reason");
  return {
    ...(caseId !== undefined && { caseId }),
    ...(reason !== undefined && { reason }),
  };
}
