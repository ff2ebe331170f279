import type { SchemaObject } from "ajv";
import type { JsonObject } from "../core/json.ts";
import type { RateLimitKind } from "../domain/accounts/rate-limits.ts";
import type { Requester } from "../domain/accounts/requester.ts";
import type { AuditEvent } from "../domain/admin/audit-events.ts";
import type { Actor, Resource } from "../domain/admin/permission.ts";
import type { Permission } from "../domain/admin/permissions.ts";
import type { Demand, Edges } from "../edges.ts";
import type { Caller } from "../util/caller.ts";
import type { Reply, StatusOverrides } from "./reply.ts";

export type Method = "get" | "put" | "post" | "delete";

/** The types of what an endpoint takes. What is left out is not read. */
export interface Shape {
  params?: object;
  query?: object;
  body?: unknown;
}

type Part<S extends Shape, K extends keyof Shape, Otherwise> =
  S extends Record<K, infer Value> ? Value : Otherwise;
type ParamsOf<S extends Shape> = Part<S, "params", Record<string, string>>;

export interface RequestInfo {
  /** The client's address, behind trusted proxies too. */
  ip: string;
  userAgent: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Who is gone when the client is. */
  caller: Caller;
  /** Aborts when the client is gone; made when it is asked for. */
  signal: AbortSignal;
  id: string;
  /** The body as it arrives, once, for an endpoint without a schema of it. */
  content(): AsyncIterable<Uint8Array>;
}

export interface Input<S extends Shape> {
  params: ParamsOf<S>;
  query: Part<S, "query", Record<string, never>>;
  body: Part<S, "body", undefined>;
  request: RequestInfo;
}

/** Turns the one-time decoded segment into a value; throws `M_INVALID_PARAM`. */
export type ParamParser<Value> = (segment: string) => Value;

/** A parameter that is more than a string must name its parser. */
type ParamParsers<P> = {
  [K in keyof P as string extends P[K] ? never : K]: ParamParser<P[K]>;
} & {
  [K in keyof P as string extends P[K] ? K : never]?: ParamParser<P[K]>;
};
type ParamsPart<P> =
  Record<never, never> extends ParamParsers<P>
    ? { params?: ParamParsers<P> }
    : { params: ParamParsers<P> };

/** What the admin API's document says of an endpoint that the endpoint itself does not. */
export interface Description {
  /** The name of the operation, for clients that are made of the document. */
  id: string;
  /** What it does, in one sentence. */
  says: string;
  /** JSON schema of the answer; the media types of one that is a file. */
  answers: SchemaObject | readonly string[];
  /** Statuses of the answer besides 200. */
  also?: readonly number[];
  /** JSON schema of a body that the handler reads closer than `body` does. */
  takes?: SchemaObject;
}

interface CommonSpec {
  method: Method;
  /** `:name` is one segment; no other pattern exists. `v3` also answers at `r0`. */
  path: string;
  /** Further paths of the same endpoint; a parameter that one lacks is `""`. */
  also?: readonly string[];
  rateLimit?: RateLimitKind;
  /** 128 KiB unless said. */
  maxBodyBytes?: number;
  /** JSON schema of the body; without one the body is not read. */
  body?: SchemaObject;
  /** The body is bytes of any kind, and handed on as a buffer. */
  takesBytes?: boolean;
  /**
   * JSON schema (`type: "object"`) of the query. A property is a `string`,
   * `integer`, `boolean`, or an `array` of strings, which alone may repeat.
   * Parameters it does not name are dropped.
   */
  query?: SchemaObject;
  /** What one takes back of one's own goes without agreeing to the policies. */
  withoutConsent?: boolean;
  /** The answer may wait for something to happen: its time in the log is no measure. */
  longPoll?: boolean;
  /** A client's requests of one such name wait for each other, and no others for them. */
  ownTurns?: string;
  /** The event of authentication that each request is, and leaves a record of. */
  audit?: AuditEvent;
  /** Leaves one only where the use-case noted something: the rest is everyday. */
  auditsNoted?: boolean;
  /** Where this endpoint's status differs from the common table. */
  statuses?: StatusOverrides;
  /** Of the admin API's own endpoints. */
  doc?: Description;
  /** Tells what is public anyway: of an administrators' path that asks for no permission. */
  isPublic?: boolean;
}

/** Who asks, and of which server. */
export interface AskedBy extends Pick<Edges, "settings"> {
  requester: Requester;
}

export interface AlsoTaken extends Omit<Demand, "roomId"> {
  /** What of it stands in the record, also where it is refused. */
  noted?: JsonObject;
}

type Handle<I> = {
  handle(edges: Edges, input: I): Promise<object | Reply>;
};

/** How who asks is known, and what the handler is told of it. */
type AuthPart<S extends Shape> =
  | ({ auth: "none" } & Handle<Input<S>>)
  | ({ auth: "optional" } & Handle<Input<S> & { requester?: Requester }>)
  | ({
      auth: "user";
      /** Guests may ask too. */
      guest?: boolean;
      /** Suspended accounts may do this too; GET they may always. */
      suspended?: boolean;
      /** Locked accounts may do this too. */
      locked?: boolean;
      /** Tokens of the admin API are good for this too. */
      adminToken?: boolean;
      /** Nobody may do this in the user's place. */
      ownerOnly?: boolean;
      /** The answer to who is shadow-banned, for whom nothing is done; undefined where it is done. */
      pretend?(
        edges: Edges,
        input: Input<S> & { requester: Requester },
      ): object | undefined;
    } & Handle<Input<S> & { requester: Requester }>)
  | ({
      auth: "admin";
      permission: Permission;
      /** What the act touches; the `userId` and `roomId` parameters unless said. */
      resource?: (params: ParamsOf<S>) => Resource;
      /** About themselves anybody may ask it. */
      ownToo?: boolean;
      /** What such a body takes besides, so that a second person agrees to all at once. */
      alsoTakes?(body: Part<S, "body", undefined>, by: AskedBy): AlsoTaken;
      /**
       * Throws what would keep it from being done as things are, and does nothing. It is asked
       * before a second person is: they are not to approve what cannot be.
       */
      validate?(
        edges: Edges,
        input: Input<S> & { requester: Requester; actor: Actor },
      ): Promise<unknown>;
    } & Handle<Input<S> & { requester: Requester; actor: Actor }>);

export type EndpointSpec<S extends Shape> = CommonSpec &
  ParamsPart<ParamsOf<S>> &
  AuthPart<S>;

/** An endpoint as the router sees it: the types of its shape are gone. */
export interface Endpoint extends CommonSpec {
  auth: "none" | "optional" | "user" | "admin";
  guest?: boolean;
  suspended?: boolean;
  locked?: boolean;
  adminToken?: boolean;
  ownerOnly?: boolean;
  ownToo?: boolean;
  alsoTakes?(body: unknown, by: AskedBy): AlsoTaken;
  validate?(edges: Edges, input: AnyInput): Promise<unknown>;
  pretend?(edges: Edges, input: AnyInput): object | undefined;
  permission?: Permission;
  resource?: (params: Record<string, unknown>) => Resource;
  params?: Readonly<Record<string, ParamParser<unknown>>>;
  handle(edges: Edges, input: AnyInput): Promise<object | Reply>;
}

export interface AnyInput {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
  request: RequestInfo;
  requester?: Requester;
  actor?: Actor;
}

/**
 * Declares one endpoint, a value for the flat list in endpoints.ts. Its schemas
 * are what makes the erased types true.
 */
export function endpoint<S extends Shape = Record<never, never>>(
  spec: EndpointSpec<S>,
): Endpoint {
  return spec as unknown as Endpoint;
}
