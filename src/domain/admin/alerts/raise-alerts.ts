import { createHash } from "node:crypto";
import type { Edges } from "../../../edges.ts";
import type { AuditDraft } from "../../../storage/audit-draft.ts";
import { listPowers } from "../../../storage/authority.ts";
import { listTokens } from "../../../storage/sessions.ts";
import { listActiveUsers } from "../../../storage/users.ts";
import { permissionsOf } from "../roles.ts";
import type { Finding } from "./finding.ts";

export type RaiseEdges = Pick<
  Edges,
  "committer" | "db" | "nids" | "notifier" | "now" | "settings"
>;

/**
 * Raises an alert of each, once whoever finds it how often, with its record in the same
 * commit: so it is told wherever the audit log is told. Where the settings say so, the
 * account is locked in that commit too.
 */
export async function raiseAlerts(
  edges: RaiseEdges,
  findings: readonly Finding[],
): Promise<void> {
  if (findings.length === 0) return;
  const lockable = await listLockable(edges, findings);
  const ids = await edges.nids.take(findings.length);
  await Promise.all(
    findings.map((finding, i) =>
      raise(edges, finding, {
        alertId: ids[i]!,
        isLocked:
          finding.userId !== null &&
          lockable.has(finding.userId) &&
          isLocking(edges, finding),
      }),
    ),
  );
}

const isLocking = (
  { settings }: Pick<Edges, "settings">,
  { detector }: Finding,
): boolean => settings.alerts?.locks.includes(detector) === true;

/** Whom a lock may meet: never who grants roles, or nobody could lift it any more. */
async function listLockable(
  edges: RaiseEdges,
  findings: readonly Finding[],
): Promise<Set<string>> {
  const named = findings.flatMap((finding) =>
    finding.userId !== null && isLocking(edges, finding)
      ? [finding.userId]
      : [],
  );
  const userIds = [...new Set(named)];
  if (userIds.length === 0) return new Set();
  const active = await listActiveUsers(edges.db, userIds);
  const powers = await listPowers(edges.db, active);
  const granters = new Set(
    powers
      .filter((row) => permissionsOf(row).includes("roles.grant"))
      .map(({ userId }) => userId),
  );
  return new Set(active.filter((userId) => !granters.has(userId)));
}

const keyOf = ({ detector, subject, span }: Finding): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["alert", detector, subject, span]))
    .digest()
    .subarray(0, 16);

async function raise(
  edges: RaiseEdges,
  finding: Finding,
  { alertId, isLocked }: { alertId: number; isLocked: boolean },
): Promise<void> {
  const { userId, detector, severity, facts } = finding;
  const record: AuditDraft = {
    ts: edges.now(),
    action: "alerts.raise",
    actor: { kind: "server" },
    resource:
      userId === null ? { type: "alerts" } : { type: "user", id: userId },
    result: "allowed",
    after: {
      ...{ ...facts, alert_id: alertId, detector, severity },
      ...(isLocked && { locked: true }),
    },
  };
  const outcome = await edges.committer.commit({
    positions: 0,
    idempotency: [{ key: keyOf(finding), answer: String(alertId) }],
    rows: {
      alerts: [{ ...finding, facts: JSON.stringify(facts), alertId, isLocked }],
      ...(isLocked &&
        userId !== null && { userUpdates: [{ userId, isLocked: true }] }),
    },
    audit: [record],
    ...(isLocked && userId !== null && { wake: { users: [userId] } }),
  });
  if (!isLocked || userId === null || outcome.status !== "committed") return;
  const tokens = await listTokens(edges.db, userId);
  await edges.notifier.revoke(tokens.map(({ tokenId }) => tokenId));
}
