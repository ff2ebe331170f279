import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import {
  countRetentionPolicies,
  findRetentionPolicy,
  listRetentionPolicies,
  type RetentionPolicyRow,
} from "../../../storage/retention-policies.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { checkPolicy, type PolicyDocument } from "./policy.ts";

type Needs = Pick<Edges, "committer" | "db" | "now">;

const MOST_POLICIES = 1000;

/** A policy as administrators see it. */
export interface ShownPolicy {
  policyId: string;
  version: number;
  draft: JsonObject;
  isTried: boolean;
  active: JsonObject | null;
  activeVersion: number | null;
  inForceTs: number | null;
  /** It keeps all for ever until then, and is gone after it. */
  removedTs: number | null;
  changedBy: string;
  changedTs: number;
  activatedBy: string | null;
}

export async function listPolicies(
  { db }: Pick<Edges, "db">,
  page: { limit: number; offset: number; isDescending: boolean },
): Promise<{ policies: ShownPolicy[]; total: number }> {
  const { policies, total } = await listRetentionPolicies(db, page);
  return { policies: policies.map(show), total };
}

/** @throws MatrixError M_NOT_FOUND */
export async function readPolicyNamed(
  { db }: Pick<Edges, "db">,
  policyId: string,
): Promise<ShownPolicy> {
  return show(await getPolicy(db, policyId));
}

export async function getPolicy(
  db: Edges["db"],
  policyId: string,
): Promise<RetentionPolicyRow> {
  const row = await findRetentionPolicy(db, policyId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such retention policy.");
}

const parse = (text: string | null): JsonObject | null =>
  text === null ? null : (JSON.parse(text) as JsonObject);

const show = (row: RetentionPolicyRow): ShownPolicy => ({
  policyId: row.policyId,
  version: row.version,
  draft: parse(row.draft)!,
  isTried: row.triedVersion === row.version,
  active: parse(row.active),
  activeVersion: row.activeVersion,
  inForceTs: row.inForceTs,
  removedTs: row.removedTs,
  changedBy: row.changedBy,
  changedTs: row.changedTs,
  activatedBy: row.activatedBy,
});

/** Drafts a policy, or its next version; what is in force stays so. */
export async function draftPolicy(
  { committer, db, now }: Needs,
  by: ActingAdministrator,
  policyId: string,
  document: PolicyDocument,
): Promise<ShownPolicy> {
  const draft = checkPolicy(document);
  const before = await findRetentionPolicy(db, policyId);
  if (!before && (await countRetentionPolicies(db)) >= MOST_POLICIES)
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      "There are too many retention policies.",
    );
  const text = JSON.stringify(draft);
  const changedBy = by.actor.userId;
  await committer.commit({
    positions: 1,
    rows: { retentionDrafts: [{ policyId, draft: text, changedBy }] },
    audit: [
      {
        ...recordOf(by, `retention ${policyId}`, now(), { draft }),
        ...(before && { before: { draft: parse(before.draft) } }),
      },
    ],
  });
  return readPolicyNamed({ db }, policyId);
}

/**
 * A policy whose draft is this version, and was tried.
 * @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM, M_BAD_STATE
 */
export async function getActivable(
  { db }: Pick<Edges, "db">,
  policyId: string,
  version: number,
): Promise<RetentionPolicyRow> {
  const policy = await getPolicy(db, policyId);
  if (policy.version !== version)
    throw new MatrixError(
      "M_INVALID_PARAM",
      `The draft is version ${policy.version} by now.`,
    );
  if (policy.triedVersion !== version)
    throw new MatrixError(
      "M_BAD_STATE",
      "See first what it would destroy: POST to dry-run.",
    );
  return policy;
}

/**
 * Puts the draft in force, when the undo window is over, where just this version was tried:
 * nobody destroys what they have not been shown the numbers of.
 */
export async function activatePolicy(
  { committer, db, now, settings }: Needs & Pick<Edges, "settings">,
  by: ActingAdministrator,
  policyId: string,
  version: number,
): Promise<ShownPolicy> {
  const before = await getActivable({ db }, policyId, version);
  const activation = {
    ...{ policyId, version, activatedBy: by.actor.userId },
    waitMs: settings.undoWindowMs,
  };
  await committer.commit({
    positions: 1,
    rows: { retentionActivations: [activation] },
    audit: [
      {
        ...recordOf(by, `retention ${policyId}`, now(), {
          ...{ version, active: parse(before.draft) },
        }),
        before: { active: parse(before.active) },
      },
    ],
  });
  const shown = await readPolicyNamed({ db }, policyId);
  if (shown.activeVersion === version) return shown;
  throw new MatrixError("M_UNKNOWN", "The draft changed meanwhile.");
}

/**
 * Takes a policy away: nothing is destroyed by it any more from then on, nor by others in its
 * place before the undo window is over.
 */
export async function deletePolicy(
  { committer, db, now, settings }: Needs & Pick<Edges, "settings">,
  by: ActingAdministrator,
  policyId: string,
): Promise<void> {
  const before = await getPolicy(db, policyId);
  await committer.commit({
    positions: 1,
    rows: {
      removedRetentionPolicies: [{ policyId, waitMs: settings.undoWindowMs }],
    },
    audit: [
      {
        ...recordOf(by, `retention ${policyId}`, now()),
        before: { active: parse(before.active), draft: parse(before.draft) },
      },
    ],
  });
}
