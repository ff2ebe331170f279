import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findAccountData } from "../../storage/account-data.ts";

type Needs = Pick<Edges, "committer" | "db" | "keyring">;

/** What sealed account data is bound to; room 0 stands for global account data. */
export const accountDataContext = (
  userId: string,
  roomNid: number,
  type: string,
): string => `account_data.sealed ${userId} ${roomNid} ${type}`;

/** One entry as JSON text; undefined where there is none. */
export async function findAccountDataText(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
  roomNid: number,
  type: string,
): Promise<string | undefined> {
  const row = await findAccountData(db, userId, roomNid, type);
  if (!row || row.sealed === null) return undefined;
  const context = accountDataContext(userId, roomNid, type);
  const [text] = await keyring.openAll([
    { context, keyId: row.keyId, sealed: row.sealed },
  ]);
  return text;
}

/** Replaces one entry and wakes the user's syncs; `null` deletes it. */
export async function setAccountData(
  { committer, keyring }: Needs,
  userId: string,
  roomNid: number,
  type: string,
  content: JsonObject | null,
): Promise<void> {
  const context = accountDataContext(userId, roomNid, type);
  const sealed =
    content === null
      ? { keyId: 0, sealed: null }
      : await keyring.sealForUser(userId, context, JSON.stringify(content));
  const outcome = await committer.commit({
    positions: 1,
    rows: { accountData: [{ at: 0, userId, roomNid, type, ...sealed }] },
    wake: { users: [userId] },
  });
  if (outcome.status !== "committed") {
    throw new MatrixError(
      "M_UNKNOWN",
      "The account data could not be stored. Try again.",
    );
  }
}
