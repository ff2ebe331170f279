import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type {
  NamedPolicy,
  PolicyDocument,
} from "../../core/policy/document.ts";
import {
  listActivePolicies,
  listFormerVersions,
} from "../../storage/policies.ts";
import {
  changeAuthority,
  type Administrator,
  type AuthorityEdges,
} from "../admin/change-authority.ts";
import { decideCases, readEnvironment } from "./decide-cases.ts";
import { getPolicy, getVersion } from "./versions.ts";

export type ActivatingEdges = AuthorityEdges & Pick<Edges, "notifier">;

/**
 * Puts a version in force, in every process: it answers when all of them have heard.
 * Whoever wrote it cannot be the one.
 */
export function activatePolicy(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
  version: number,
): Promise<void> {
  return change(edges, by, policyId, async () => {
    await assertActivable(edges, by, policyId, version);
    return version;
  });
}

/** Throws what keeps a version from being put in force as things are. */
export async function validateActivation(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
  version: number,
): Promise<void> {
  await getPolicy(edges, policyId);
  await assertActivable(edges, by, policyId, version);
}

async function assertActivable(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
  version: number,
): Promise<void> {
  const { author, document } = await getVersion(edges, policyId, version);
  if (author === by.requester.userId)
    throw new MatrixError(
      "M_FORBIDDEN",
      "Whoever wrote a version of a policy does not put it in force.",
    );
  await assertRevocable(edges, by, { policyId, version, document });
}

/** Puts the version in force again that was before the one that is. */
export function rollBackPolicy(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
): Promise<void> {
  return change(edges, by, policyId, () => chooseFormer(edges, by, policyId));
}

/** Throws what keeps a policy from being rolled back as things are. */
export async function validateRollback(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
): Promise<void> {
  await getPolicy(edges, policyId);
  await chooseFormer(edges, by, policyId);
}

async function chooseFormer(
  edges: ActivatingEdges,
  by: Administrator,
  policyId: string,
): Promise<number> {
  const [version] = await listFormerVersions(edges.db, policyId);
  if (version === undefined)
    throw new MatrixError(
      "M_NOT_FOUND",
      "No other version of the policy was ever in force.",
    );
  await assertActivable(edges, by, policyId, version);
  return version;
}

/** Has a policy decide nothing any more. */
export const deactivatePolicy = (
  edges: ActivatingEdges,
  by: Administrator | "command line",
  policyId: string,
): Promise<void> => change(edges, by, policyId, async () => null);

async function change(
  edges: ActivatingEdges,
  by: Administrator | "command line",
  policyId: string,
  choose: () => Promise<number | null>,
): Promise<void> {
  await changeAuthority(edges, by, async () => {
    const { activeVersion } = await getPolicy(edges, policyId);
    const version = await choose();
    const activatedBy = by === "command line" ? by : by.requester.userId;
    return {
      rows: { policyActivations: [{ policyId, version, activatedBy }] },
      act: {
        act: "policies.activate" as const,
        target: policyId,
        before: { policy: policyId, version: activeVersion },
        details: { policy: policyId, version },
      },
      answer: undefined,
    };
  });
  await edges.notifier.seenByAll(await edges.notifier.refresh());
}

/** What keeps who puts it in force from taking it back could be taken back by nobody. */
async function assertRevocable(
  edges: ActivatingEdges,
  { requester }: Administrator,
  policy: NamedPolicy,
): Promise<void> {
  const rows = await listActivePolicies(edges.db);
  const others = rows
    .filter(({ policyId }) => policyId !== policy.policyId)
    .map((row) => ({
      ...row,
      document: JSON.parse(row.document) as PolicyDocument,
    }));
  const policies = [...others, policy];
  const who = { userId: requester.userId, action: "admin" as const };
  const env = await readEnvironment(edges, policies, requester, {
    ...who,
    now: edges.now(),
  });
  const permission = "policies.activate";
  const [decision] = await decideCases(edges, policies, [
    { ...who, permission, env },
  ]);
  if (!decision!.isAllowed)
    throw new MatrixError(
      "M_INVALID_PARAM",
      "This would keep you from taking it back.",
    );
}
