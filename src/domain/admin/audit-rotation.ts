import type { KeyRotation } from "../../core/audit-keys.ts";
import { ROTATION, signStatement } from "../../core/audit-statements.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import type { AuditKey, NextAuditKey } from "../../storage/audit-key-source.ts";
import { listAuditKeys } from "../../storage/audit-keys.ts";
import { auditRecord } from "./audit-record.ts";

/**
 * Has the next key sign checkpoints, from the record on that says so and that the key
 * before it has signed: of all processes at once, since the commit decides. Undefined where
 * another process was first.
 * @throws MatrixError where the next key is one that signed before
 */
export async function rotateAuditKey(
  edges: Pick<Edges, "auditKey" | "committer" | "db" | "now" | "settings">,
  actor: string,
): Promise<{ before: AuditKey; after: AuditKey } | undefined> {
  const before = await edges.auditKey.current();
  const after = await edges.auditKey.next(before);
  await assertNew(edges, after);
  const ts = edges.now();
  const signed = signStatement(
    ROTATION,
    {
      ...{ server: edges.settings.serverName, epoch: after.epoch, ts },
      ...{ old_key_id: before.keyId, old_public_key: before.publicKey },
      ...{ key_id: after.keyId, public_key: after.publicKey },
    },
    before.privateKey,
  );
  const record = auditRecord(
    { act: ROTATION, actor, target: "", details: { ...signed } },
    ts,
  );
  return (await isCommitted(edges, record, after))
    ? { before, after }
    : undefined;
}

async function isCommitted(
  { committer }: Pick<Edges, "committer">,
  record: ReturnType<typeof auditRecord>,
  next: NextAuditKey,
): Promise<boolean> {
  try {
    await committer.commit({ positions: 0, audit: [record] });
  } catch (error) {
    if (await next.settle()) return false;
    throw error;
  }
  return true;
}

/** Nobody could tell any more which of two signed. */
async function assertNew(
  edges: Pick<Edges, "auditKey" | "db">,
  next: AuditKey,
): Promise<void> {
  const keys = await listPublicKeys(edges);
  // Whoever was first with this very key has done what is to be done.
  const earlier = keys.slice(0, next.epoch - 1);
  const isKnown = earlier.some(
    ({ keyId, publicKey }) =>
      keyId === next.keyId || publicKey === next.publicKey,
  );
  if (!isKnown) return;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `The key ${next.keyId} signed the audit log before. Put another one in its place.`,
  );
}

/** The public keys that sign checkpoints and certificates, the first one first. */
export async function listPublicKeys(
  edges: Pick<Edges, "auditKey" | "db">,
): Promise<{ keyId: string; publicKey: string }[]> {
  // Read before the others, it is the first one where there are none.
  const { keyId, publicKey } = await edges.auditKey.current();
  const rows = await listAuditKeys(edges.db);
  const [first] = rows;
  if (!first) return [{ keyId, publicKey }];
  const said = JSON.parse(first.statement) as {
    old_key_id: string;
    old_public_key: string;
  };
  return [
    { keyId: said.old_key_id, publicKey: said.old_public_key },
    ...rows.map((row) => ({ keyId: row.keyId, publicKey: row.publicKey })),
  ];
}

/** How the key that signs now followed from the first one. */
export async function listRotations({
  db,
}: Pick<Edges, "db">): Promise<KeyRotation[]> {
  const rows = await listAuditKeys(db);
  return rows.map(({ seq, statement, signature }) => ({
    seq,
    signed: { statement: JSON.parse(statement) as JsonObject, signature },
  }));
}
