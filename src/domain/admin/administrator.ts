import type { JsonObject } from "../../core/json.ts";
import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { Requester } from "../accounts/requester.ts";
import { auditRecord } from "./audit-record.ts";
import type { Actor } from "./permission.ts";

/** Why somebody reads what others wrote, where it was said. */
export interface Grounds {
  caseId?: string;
  reason?: string;
}

/** Who acts by a permission. */
export interface ActingAdministrator {
  requester: Requester;
  actor: Actor;
  grounds?: Grounds;
}

/** The record of an act, for the write that it commits in. */
export const recordOf = (
  { actor, grounds = {} }: ActingAdministrator,
  target: string,
  nowTs: number,
  details: JsonObject = {},
): AuditDraft => ({
  ...auditRecord(
    {
      act: actor.permission,
      actor: actor.userId,
      target,
      requestId: actor.requestId,
      ...(Object.keys(details).length > 0 && { details }),
    },
    nowTs,
  ),
  ...grounds,
});
