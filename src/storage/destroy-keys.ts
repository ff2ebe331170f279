import type { Bus } from "./bus.ts";
import type { Sql } from "./database.ts";
import type { KeyName, Keyring } from "./keyring.ts";
import type { ProcessMemory } from "../util/process-memory.ts";
import { deleteKeys } from "./keys.ts";

export interface DestroyNeeds {
  sql: Sql;
  bus: Pick<Bus, "publish">;
  keyring: Pick<Keyring, "forget">;
  memory: Pick<ProcessMemory, "forgetOpened">;
}

/**
 * Destroys keys: what they sealed opens no more, in any process, and what was opened
 * of it is forgotten. A process that the hint does not reach forgets all when its
 * connection is there again. Answers how many there were.
 */
export async function destroyKeys(
  { sql, bus, keyring, memory }: DestroyNeeds,
  names: readonly KeyName[],
): Promise<number> {
  const keyIds = await deleteKeys(sql, names);
  keyring.forget(keyIds);
  memory.forgetOpened();
  bus.publish({ kind: "keysDestroyed", keyIds });
  return keyIds.length;
}
