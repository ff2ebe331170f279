import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { findPolicyFault } from "../../core/policy/check.ts";
import { diffPolicies, type PolicyDiff } from "../../core/policy/diff.ts";
import type { PolicyDocument } from "../../core/policy/document.ts";
import {
  findPolicy,
  findPolicyVersion,
  listPolicies,
  listPolicyVersions,
  type PolicyRow,
  type PolicyVersionRow,
} from "../../storage/policies.ts";
import type { Page } from "../../storage/user-groups.ts";
import { parseNetwork } from "../../util/ip-address.ts";
import {
  changeAuthority,
  type Administrator,
  type AuthorityEdges,
} from "../admin/change-authority.ts";

type Reads = Pick<Edges, "db">;

export type PolicyVersion = Omit<PolicyVersionRow, "document"> & {
  document: PolicyDocument;
};

export const searchPolicies = (
  { db }: Reads,
  page: Page,
): Promise<{ policies: PolicyRow[]; total: number }> => listPolicies(db, page);

/** @throws MatrixError M_NOT_FOUND */
export async function getPolicy(
  { db }: Reads,
  policyId: string,
): Promise<PolicyRow> {
  const row = await findPolicy(db, policyId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such policy.");
}

export async function searchVersions(
  edges: Reads,
  policyId: string,
  page: Page,
): Promise<{ versions: Omit<PolicyVersionRow, "document">[]; total: number }> {
  await getPolicy(edges, policyId);
  return listPolicyVersions(edges.db, policyId, page);
}

/** @throws MatrixError M_NOT_FOUND */
export async function getVersion(
  { db }: Reads,
  policyId: string,
  version: number,
): Promise<PolicyVersion> {
  const row = await findPolicyVersion(db, policyId, version);
  if (!row)
    throw new MatrixError("M_NOT_FOUND", "The policy has no such version.");
  return { ...row, document: JSON.parse(row.document) as PolicyDocument };
}

/** The version that is in force, or else the latest. */
export async function getStandingVersion(
  edges: Reads,
  policyId: string,
): Promise<PolicyVersion> {
  const { activeVersion, latestVersion } = await getPolicy(edges, policyId);
  return getVersion(edges, policyId, activeVersion ?? latestVersion);
}

export async function diffVersions(
  edges: Reads,
  policyId: string,
  asked: { from?: number; to?: number },
): Promise<PolicyDiff> {
  const { activeVersion, latestVersion } = await getPolicy(edges, policyId);
  const { to = latestVersion } = asked;
  const { from = activeVersion ?? Math.max(1, to - 1) } = asked;
  const [before, after] = await Promise.all([
    getVersion(edges, policyId, from),
    getVersion(edges, policyId, to),
  ]);
  return diffPolicies(before.document, after.document);
}

/** Writes a version, which decides nothing until it is in force. */
export function draftPolicy(
  edges: AuthorityEdges,
  by: Administrator,
  policyId: string,
  document: PolicyDocument,
): Promise<number> {
  assertSound(document);
  return changeAuthority(edges, by, async () => {
    const known = await findPolicy(edges.db, policyId);
    const version = (known?.latestVersion ?? 0) + 1;
    const text = JSON.stringify(document);
    const author = by.requester.userId;
    return {
      rows: { policyVersions: [{ policyId, version, document: text, author }] },
      act: {
        act: "policies.write" as const,
        target: policyId,
        details: { policy: policyId, version },
      },
      answer: version,
    };
  });
}

/** @throws MatrixError M_INVALID_PARAM */
export function assertSound(document: PolicyDocument): void {
  const fault = findPolicyFault(
    document,
    (text) => parseNetwork(text) !== undefined,
  );
  if (fault !== undefined) throw new MatrixError("M_INVALID_PARAM", fault);
}
