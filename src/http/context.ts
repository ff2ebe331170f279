import type Koa from "koa";
import type { Requester } from "../domain/accounts/requester.ts";
import type { AuditTrail } from "../domain/admin/audit-trail.ts";
import type { Actor } from "../domain/admin/permission.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ParseQuery } from "./query.ts";
import type { FindFault } from "./schema.ts";

/** An endpoint with its schemas compiled. */
export interface CompiledEndpoint {
  endpoint: Endpoint;
  /** The path's parameters. */
  names: readonly string[];
  parseQuery?: ParseQuery;
  findBodyFault?: FindFault;
}

/** What each middleware leaves for those after it. */
export interface RequestState {
  requestId: string;
  ip: string;
  /** The undecoded path and query of the request line. */
  path: string;
  query: string;
  route: CompiledEndpoint;
  segments: Record<string, string>;
  requester?: Requester;
  /** For the database, by what came before the handler. */
  waitedMs?: number;
  actor?: Actor;
  /** The roles of an administrator who asks. */
  roles?: readonly string[];
  /** The record of the request, where it leaves one. */
  trail?: AuditTrail;
  params: Record<string, unknown>;
  queryValues: Record<string, unknown>;
  body: unknown;
}

export type Context = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;
