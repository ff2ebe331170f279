import { isUserId } from "../../core/ids.ts";
import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findAuditRow,
  searchAuditLog,
  type AuditFilter,
} from "../../storage/audit-log.ts";
import {
  findLastCheckpoint,
  listCheckpoints,
} from "../../storage/audit-checkpoints.ts";
import { pseudonymOf } from "../../storage/seal-records.ts";
import { listExistingUsers } from "../../storage/users.ts";
import type { SignedCheckpoint } from "../../core/audit-chain.ts";
import { linkOf, signedOf } from "./checkpoints.ts";
import { openRecords, type OpenedRecord } from "./open-records.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** What an auditor asks for; what is left out is anything. */
export interface AuditQuestion {
  /** A user id, a user's stand-in in the log, or who acted without an account. */
  actor?: string;
  /** The id of a user, a room or whatever else was touched, or a user's stand-in. */
  target?: string;
  targetType?: string;
  action?: string;
  result?: string;
  fromTs?: number;
  toTs?: number;
}

/** Users stand in the log under a name that only their key makes. */
export async function filterOf(
  edges: Needs,
  question: AuditQuestion,
): Promise<AuditFilter> {
  const { actor, target, action, result, fromTs, toTs } = question;
  const ids = [actor, target].flatMap((id) =>
    id !== undefined && isUserId(id) ? [id] : [],
  );
  const known = await listExistingUsers(edges.db, [...new Set(ids)]);
  const keys = await edges.keyring.prepare(
    known.map((owner) => ({ scope: "user", owner, span: "" })),
  );
  const names = new Map(
    known.map((userId, i) => [
      userId,
      pseudonymOf(edges.keyring, userId, keys[i]!),
    ]),
  );
  // Whoever has no account here did nothing.
  const nameOf = (id: string): string =>
    isUserId(id) ? (names.get(id) ?? "nobody") : id;
  const isStandIn = actor !== undefined && /^[a-z]/.test(actor);
  return {
    actorType: isStandIn ? actor : null,
    actorId: actor === undefined || isStandIn ? null : nameOf(actor),
    resourceId: target === undefined ? null : nameOf(target),
    resourceType: question.targetType ?? null,
    action: action ?? null,
    result: result ?? null,
    fromTs: fromTs ?? null,
    toTs: toTs ?? null,
  };
}

export async function searchAudit(
  edges: Needs,
  question: AuditQuestion,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ records: OpenedRecord[]; total: number; isMore: boolean }> {
  const filter = await filterOf(edges, question);
  const { rows, ...counted } = await searchAuditLog(edges.db, filter, page);
  return { records: await openRecords(edges, rows), ...counted };
}

/** The checkpoints after a place, and whether there are more. */
export async function readCheckpoints(
  { db, settings }: Pick<Edges, "db" | "settings">,
  after: number,
  limit = 500,
): Promise<{ checkpoints: SignedCheckpoint[]; isMore: boolean }> {
  const upTo = Number.MAX_SAFE_INTEGER;
  const rows = await listCheckpoints(db, { after, upTo, limit });
  const last = await findLastCheckpoint(db);
  return {
    checkpoints: rows.map((row) => signedOf(row, settings.serverName)),
    isMore: rows.length > 0 && rows.at(-1)!.seq < (last?.seq ?? 0),
  };
}

/**
 * Notes that an auditor has looked through a stretch of the log. The record of it is in
 * the log itself, and names the link up to which it was read.
 */
export async function reviewAudit(
  { db, trail }: Pick<Edges, "db" | "trail">,
  review: { fromSeq: number; toSeq: number; comment: string },
): Promise<void> {
  const { fromSeq, toSeq, comment } = review;
  if (fromSeq > toSeq)
    throw new MatrixError("M_INVALID_PARAM", '"from_seq" is after "to_seq".');
  const end = await findAuditRow(db, toSeq);
  if (!end)
    throw new MatrixError("M_NOT_FOUND", "There is no record of this number.");
  trail?.note({
    reason: comment,
    after: { from_seq: fromSeq, to_seq: toSeq, hash: linkOf(end).hash },
  });
}
