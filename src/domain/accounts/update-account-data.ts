import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { listCitedMedia } from "../../core/cited-media.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findAccountData } from "../../storage/account-data.ts";
import type { WriteRows } from "../../storage/write.ts";
import { accountDataContext } from "./account-data.ts";

type Needs = Pick<Edges, "db" | "keyring" | "settings">;

interface Place {
  userId: string;
  /** 0 for global account data. */
  roomNid: number;
  type: string;
}

/** A change of account data, sealed: the rows for a write that holds its claim. */
export interface PreparedChange {
  /** An idempotency key: of two changes made on the same ground the second loses. */
  claim: Uint8Array;
  keyId: number;
  rowsAt(at: number): Partial<WriteRows>;
}

const MAX_TRIES = 50;
/** An entry without content is none (MSC3391): its row tells that it was there. */
const DELETED = { keyId: 0, sealed: null };

/**
 * Changes a part of one entry, so that no two changes at once lose each other:
 * each claims the position that it was made on, and who comes second begins anew.
 */
export async function updateAccountData(
  edges: Needs & Pick<Edges, "committer">,
  place: Place,
  change: (content: JsonObject) => JsonObject,
): Promise<void> {
  const { committer, keyring } = edges;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const prepared = await prepareAccountData(edges, place, change);
    if (!prepared) return;
    const outcome = await committer.commit({
      positions: 1,
      idempotency: [{ key: prepared.claim, answer: "" }],
      rows: prepared.rowsAt(0),
      wake: { users: [place.userId] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict") keyring.forget([prepared.keyId]);
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

/**
 * Replaces one entry: the last who sets it wins, also over a change of a part
 * that was made on what stood before.
 */
export const setAccountData = (
  edges: Needs & Pick<Edges, "committer">,
  place: Place,
  content: JsonObject,
): Promise<void> => updateAccountData(edges, place, () => content);

/**
 * The change for a write of somebody else's; undefined where `change` leaves all as
 * it is. What it leaves without content is deleted.
 */
export async function prepareAccountData(
  { db, keyring, settings }: Needs,
  { userId, roomNid, type }: Place,
  change: (
    content: JsonObject,
  ) => JsonObject | undefined | Promise<JsonObject | undefined>,
): Promise<PreparedChange | undefined> {
  const context = accountDataContext(userId, roomNid, type);
  const row = await findAccountData(db, userId, roomNid, type);
  const { position = 0, sealed: old = null, keyId = 0 } = row ?? {};
  const [text] = old
    ? await keyring.openAll([{ context, keyId, sealed: old }])
    : [];
  const next = await change(JSON.parse(text ?? "{}") as JsonObject);
  if (!next) return undefined;
  const isDeleted = Object.keys(next).length === 0;
  const sealed = isDeleted
    ? DELETED
    : await keyring.sealForUser(userId, context, JSON.stringify(next));
  // What it shows, as packs of emoji do, is not to go with old files.
  const mediaIds = listCitedMedia(next, settings.serverName);
  return {
    claim: claimOf([userId, roomNid, type, position]),
    keyId: sealed.keyId,
    rowsAt: (at) => ({
      accountData: [{ at, userId, roomNid, type, mediaIds, ...sealed }],
    }),
  };
}

const claimOf = (parts: unknown[]): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["account data", ...parts]))
    .digest()
    .subarray(0, 16);
