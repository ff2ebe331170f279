import type Koa from "koa";
import type { Requester } from "../domain/accounts/requester.ts";
import type { AuditTrail } from "../domain/admin/audit-trail.ts";
import type { Actor, Resource } from "../domain/admin/permission.ts";
import { Caller } from "../util/caller.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ParseQuery } from "./query.ts";
import type { Reply } from "./reply.ts";
import type { FindFault } from "./schema.ts";

/** An endpoint with its schemas compiled. */
export interface CompiledEndpoint {
  endpoint: Endpoint;
  /** The path's parameters. */
  names: readonly string[];
  parseQuery?: ParseQuery;
  findBodyFault?: FindFault;
}

/** What becomes of a request's record, before the answer leaves. */
export interface Recording {
  readonly trail: AuditTrail;
  answered(answer: object | Reply): Promise<void>;
  refused(error: unknown): Promise<void>;
}

/** What each middleware leaves for those after it. */
export class RequestState {
  readonly requestId: string;
  readonly ip: string;
  /** The undecoded path and query of the request line. */
  readonly path: string;
  readonly query: string;
  readonly caller = new Caller();
  route!: CompiledEndpoint;
  segments!: Record<string, string>;
  requester: Requester | undefined;
  /** For the database, by what came before the handler. */
  waitedMs = 0;
  actor: Actor | undefined;
  /** What an act touches, and whether that is who asks. */
  touched: Resource | undefined;
  isOwn = false;
  /** The roles of an administrator who asks. */
  roles: readonly string[] | undefined;
  /** The record of the request, where it leaves one. */
  recording: Recording | undefined;
  params!: Record<string, unknown>;
  queryValues!: Record<string, unknown>;
  body: unknown;

  constructor(requestId: string, ip: string, path: string, query: string) {
    this.requestId = requestId;
    this.ip = ip;
    this.path = path;
    this.query = query;
  }

  /** What the handler has taken is not held until it has answered. */
  handOver(): void {
    this.segments = this.params = this.queryValues = NOTHING;
    this.body = undefined;
  }
}

const NOTHING = Object.freeze({});

/** A request and its answer: what is held of them until that has left. */
export type Exchange = Pick<Context, "req" | "res" | "state">;

export type Context = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;
