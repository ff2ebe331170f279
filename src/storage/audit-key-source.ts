import { findAuditKey, findAuditKeyOf } from "./audit-keys.ts";
import type { Sql } from "./database.ts";
import { deleteKeyFile, makeKeyFile } from "./key-files.ts";
import {
  auditName,
  findSecretText,
  makeSecretText,
  placeOf,
  readSigningKey,
} from "./secret-source.ts";
import type { SecretSource } from "./secret-source.ts";
import { SecretsError } from "./secrets-error.ts";
import type { SigningKey } from "./signing-key.ts";

/** One of those that sign checkpoints of the audit log, one after the other. */
export interface AuditKey extends SigningKey {
  /** The first one's is 1. */
  epoch: number;
}

export interface NextAuditKey extends AuditKey {
  /** Removes it where it was made in vain; tells whether its place was taken. */
  settle(): Promise<boolean>;
}

export interface AuditKeys {
  /**
   * The one that signs now, whichever process had it replaced.
   * @throws SecretsError where it is missing here
   */
  current(): Promise<AuditKey>;
  /** The one to follow another: made where keys lie, unless it lies there. */
  next(before: Pick<AuditKey, "epoch">): Promise<NextAuditKey>;
}

/** Which one signs is what the database says; the keys themselves are nowhere in it. */
export function createAuditKeys(source: SecretSource, sql: Sql): AuditKeys {
  let held: AuditKey | undefined;
  const current = async (): Promise<AuditKey> => {
    const row = await findAuditKey(sql);
    const epoch = row?.epoch ?? 1;
    if (held?.epoch === epoch) return held;
    const key = await read(source, epoch);
    if (row && key.publicKey !== row.publicKey)
      throw new SecretsError(
        `The secret "${auditName(epoch)}" is not the one that record ${row.seq} of the audit log names. Copy the right one to ${placeOf(source, auditName(epoch))}.`,
      );
    held = key;
    return key;
  };
  const next: AuditKeys["next"] = async (before) => {
    const epoch = before.epoch + 1;
    const name = auditName(epoch);
    const isMade =
      (await findSecretText(source, name)) === undefined &&
      (await makeKeyFile(source.keysDir, name, makeSecretText(name)));
    const key = await read(source, epoch);
    return {
      ...key,
      async settle() {
        const taken = await findAuditKeyOf(sql, epoch);
        if (taken === undefined) return false;
        if (isMade && taken !== key.publicKey)
          await deleteKeyFile(source.keysDir, name);
        return true;
      },
    };
  };
  return { current, next };
}

async function read(source: SecretSource, epoch: number): Promise<AuditKey> {
  const name = auditName(epoch);
  const text = await findSecretText(source, name);
  if (text === undefined)
    throw new SecretsError(
      `The secret "${name}", which signs the audit log, is missing here. Copy ${placeOf(source, name)} from a process that has it.`,
    );
  return { ...readSigningKey(source, name, text), epoch };
}
