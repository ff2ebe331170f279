import type { JsonObject } from "../core/json.ts";

/** Who did what a record is of. */
export type AuditActor =
  | ({ kind: "user"; userId: string; deviceId?: string; tokenId?: number } & {
      roles?: readonly string[];
    } & AuditOrigin)
  | ({ kind: StandIn } & AuditOrigin);

/** Who acts without an account: who holds a secret of the server, nobody in particular, a job. */
export type StandIn = "command line" | "shared secret" | "nobody" | "server";

interface AuditOrigin {
  ip?: string;
  userAgent?: string;
  /** As a proxy tells it. */
  country?: string;
}

/** Allowed and done; refused for lack of a right; tried in vain. */
export type AuditResult = "allowed" | "denied" | "failed";

/** What an act or a read touched. The id of a user is sealed, with all that is said of it. */
export interface AuditResource {
  type: string;
  id?: string;
}

/** A record before it is sealed and takes its place in the chain. */
export interface AuditDraft {
  ts: number;
  action: string;
  actor: AuditActor;
  resource: AuditResource;
  result: AuditResult;
  errcode?: string;
  reason?: string;
  caseId?: string;
  approvalId?: string;
  before?: JsonObject;
  after?: JsonObject;
  requestId?: string;
}
