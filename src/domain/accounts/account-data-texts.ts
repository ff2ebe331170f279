import type { Edges } from "../../edges.ts";
import { listAccountDataOfType } from "../../storage/account-data.ts";
import { accountDataContext } from "./account-data.ts";

/** One type of global account data of many users, as JSON texts; those without it are absent. */
export async function listAccountDataTexts(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userIds: readonly string[],
  type: string,
): Promise<string[]> {
  const rows = await listAccountDataOfType(db, userIds, type);
  const texts = await keyring.openAll(
    rows.map(({ userId, keyId, sealed }) => ({
      context: accountDataContext(userId, 0, type),
      keyId,
      sealed,
    })),
  );
  return texts.filter((text) => text !== undefined);
}
