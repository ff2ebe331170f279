import type { Bus } from "./bus.ts";
import type { Sql } from "./database.ts";
import type { KeyName, Keyring } from "./keyring.ts";
import { deleteKeys } from "./keys.ts";

export interface DestroyNeeds {
  sql: Sql;
  bus: Pick<Bus, "publish">;
  keyring: Pick<Keyring, "forget">;
}

/**
 * Destroys keys: what they sealed opens no more, in any process. A process that
 * the hint does not reach is corrected when its next write loses over the key.
 * Answers how many there were.
 */
export async function destroyKeys(
  { sql, bus, keyring }: DestroyNeeds,
  names: readonly KeyName[],
): Promise<number> {
  const keyIds = await deleteKeys(sql, names);
  keyring.forget(keyIds);
  bus.publish({ kind: "keysDestroyed", keyIds });
  return keyIds.length;
}
