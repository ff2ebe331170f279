import type { JsonObject } from "../../core/json.ts";
import type {
  AuditActor,
  AuditDraft,
  AuditResource,
  StandIn,
} from "../../storage/audit-draft.ts";
import type { Permission } from "./permissions.ts";

/** What an administrator did, or somebody with an administrator's secret. */
export interface Act {
  act: Permission;
  /** A user id, or what stood in for one: `command line`, `shared secret`. */
  actor: string;
  /** Whom or what it touched. */
  target: string;
  reason?: string;
  before?: JsonObject;
  /** What it made of it; neither holds a secret or content. */
  details?: JsonObject;
  /** Finds the request in the log. */
  requestId?: string;
}

/** The record of an act that is being done. Of a request, the commit adds who asks and from where. */
export const auditRecord = (
  { act, actor, target, reason, before, details, requestId }: Act,
  nowTs: number,
): AuditDraft => ({
  ts: nowTs,
  action: act,
  actor: actorOf(actor),
  resource: resourceOf(act, target),
  result: "allowed",
  ...(reason !== undefined && { reason }),
  ...(before && { before }),
  ...(details && { after: details }),
  ...(requestId !== undefined && { requestId }),
});

const STAND_INS: readonly string[] = [
  "command line",
  "shared secret",
  "server",
];

const actorOf = (actor: string): AuditActor => {
  if (actor.startsWith("@")) return { kind: "user", userId: actor };
  return {
    kind: STAND_INS.includes(actor) ? (actor as StandIn) : "nobody",
  };
};

const SIGILS: Readonly<Record<string, string>> = {
  "@": "user",
  "!": "room",
  "#": "alias",
  $: "event",
};

/** Ids tell what they are of; all else is of what the permission is of. */
export function resourceOf(action: string, id: string): AuditResource {
  const [area = action] = action.split(".");
  if (id === "") return { type: area };
  return { type: SIGILS[id.charAt(0)] ?? area, id };
}
