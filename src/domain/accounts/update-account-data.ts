import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findAccountData } from "../../storage/account-data.ts";
import { accountDataContext } from "./account-data.ts";

type Needs = Pick<Edges, "committer" | "db" | "keyring">;

const MAX_TRIES = 50;

/**
 * Changes a part of one entry, so that no two changes at once lose each other:
 * each claims the position that it was made on, and who comes second begins anew.
 */
export async function updateAccountData(
  edges: Needs,
  { userId, roomNid, type }: { userId: string; roomNid: number; type: string },
  change: (content: JsonObject) => JsonObject,
): Promise<void> {
  const { committer, db, keyring } = edges;
  const context = accountDataContext(userId, roomNid, type);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const row = await findAccountData(db, userId, roomNid, type);
    const { position = 0, sealed: old = null, keyId = 0 } = row ?? {};
    const [text] = old
      ? await keyring.openAll([{ context, keyId, sealed: old }])
      : [];
    const content = JSON.parse(text ?? "{}") as JsonObject;
    const next = JSON.stringify(change(content));
    const sealed = await keyring.sealForUser(userId, context, next);
    const key = claimOf([userId, roomNid, type, position]);
    const outcome = await committer.commit({
      positions: 1,
      idempotency: [{ key, answer: "" }],
      rows: { accountData: [{ at: 0, userId, roomNid, type, ...sealed }] },
      wake: { users: [userId] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict") keyring.forget([sealed.keyId]);
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

const claimOf = (parts: unknown[]): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["account data", ...parts]))
    .digest()
    .subarray(0, 16);
