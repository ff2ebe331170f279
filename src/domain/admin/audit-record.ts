import { canonicalJson } from "../../core/canonical-json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Permission } from "./permissions.ts";

/** What an administrator did, or somebody with an administrator's secret. */
export interface Act {
  act: Permission;
  /** A user id, or what stood in for one: `command line`, `shared secret`. */
  actor: string;
  /** Whom or what it touched. */
  target: string;
  details?: JsonObject;
  /** Finds the request in the log. */
  requestId?: string;
}

/** An act as the audit log keeps it; it holds no secret and no content. */
export const auditRecord = (
  { act, actor, target, details, requestId }: Act,
  nowTs: number,
): string =>
  canonicalJson({
    ts: nowTs,
    act,
    actor,
    target,
    ...(details && { details }),
    ...(requestId !== undefined && { request: requestId }),
  });
