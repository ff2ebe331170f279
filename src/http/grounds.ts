import type { IncomingHttpHeaders } from "node:http";
import type { Grounds } from "../domain/admin/administrator.ts";

const LONGEST = 256;

/** Why somebody asks: in the headers, or, for tools, in the query or the body. */
export function groundsOf(
  headers: IncomingHttpHeaders,
  query: string,
  body: unknown,
): Grounds {
  const asked = new URLSearchParams(query);
  const said = (typeof body === "object" && body !== null ? body : {}) as {
    [name: string]: unknown;
  };
  const find = (header: string, name: string): string | undefined => {
    const own = Object.hasOwn(said, name) ? said[name] : undefined;
    const text = [asked.get(name), headers[header], own].find(
      (each) => typeof each === "string" && each.trim() !== "",
    );
    return typeof text === "string" ? text.slice(0, LONGEST) : undefined;
  };
  const caseId = find("x-myelin-case", "case_id");
  const reason = find("x-myelin-reason", "reason");
  return {
    ...(caseId !== undefined && { caseId }),
    ...(reason !== undefined && { reason }),
  };
}
