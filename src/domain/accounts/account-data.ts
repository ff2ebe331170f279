import type { Edges } from "../../edges.ts";
import { findAccountData } from "../../storage/account-data.ts";

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
