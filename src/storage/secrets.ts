import { createAuditKeys, type AuditKeys } from "./audit-key-source.ts";
import { findAuditKey } from "./audit-keys.ts";
import type { Sql } from "./database.ts";
import { deleteKeyFile, makeKeyFile } from "./key-files.ts";
import { MasterKey, createMasterKeys } from "./master-key.ts";
import type { MasterKeys } from "./master-key.ts";
import {
  PEPPER,
  AUDIT,
  SIGNING,
  epochOf,
  findSecretText,
  fingerprintOf,
  isSigningName,
  makeSecretText,
  masterName,
  placeOf,
  readBytes,
  readSigningKey,
} from "./secret-source.ts";
import type { SecretSource } from "./secret-source.ts";
import { SecretsError } from "./secrets-error.ts";
import { findSecretsRecord, insertSecretsRecord } from "./secrets-record.ts";
import type { OldSigningKey, SecretsRecord } from "./secrets-record.ts";
import type { SigningKey } from "./signing-key.ts";

/** All that lies outside the database and must not be lost. */
export interface Secrets {
  masterKeys: MasterKeys;
  signingKey: SigningKey;
  /** Sign checkpoints of the audit log. */
  auditKeys: AuditKeys;
  /** Still published, never signed with. */
  oldSigningKeys: readonly OldSigningKey[];
  pepper: Buffer;
}

/**
 * The secrets of this server. With an empty database they are made once, however
 * many processes start; from then on the database knows their fingerprints.
 * Throws `SecretsError` where one is missing, differs or is unsafe.
 */
export async function loadSecrets(
  source: SecretSource,
  sql: Sql,
): Promise<Secrets> {
  const record =
    (await findSecretsRecord(sql)) ?? (await makeSecrets(source, sql));
  const texts = await readTexts(source, record, sql);
  const auditKeys = createAuditKeys(source, sql);
  await auditKeys.current();
  const masterKeys = createMasterKeys(
    { epoch: record.epoch, keys: readMasterKeys(source, texts) },
    async () => {
      const now = await findSecretsRecord(sql);
      if (!now) throw new SecretsError("The database has lost its record.");
      const keys = readMasterKeys(source, await readTexts(source, now, sql));
      return { epoch: now.epoch, keys };
    },
  );
  return {
    masterKeys,
    signingKey: readSigningKey(source, SIGNING, texts.get(SIGNING) ?? ""),
    auditKeys,
    oldSigningKeys: record.oldSigningKeys,
    pepper: readBytes(source, PEPPER, texts.get(PEPPER) ?? ""),
  };
}

const FIRST_NAMES = [masterName(1), PEPPER, SIGNING, AUDIT];

async function makeSecrets(source: SecretSource, sql: Sql) {
  const fingerprints: Record<string, string> = {};
  const made: string[] = [];
  // The files are on disk before the database knows of them: a crash loses nothing.
  for (const name of FIRST_NAMES) {
    let text = await findSecretText(source, name);
    if (text === undefined) {
      const isMade = await makeKeyFile(
        source.keysDir,
        name,
        makeSecretText(name),
      );
      if (isMade) made.push(name);
      text = (await findSecretText(source, name)) ?? "";
    }
    assertReadable(source, name, text);
    fingerprints[name] = fingerprintOf(name, text);
  }
  await insertSecretsRecord(sql, { fingerprints, epoch: 1 });
  const record = await findSecretsRecord(sql);
  if (!record) {
    await deleteFiles(source, made);
    throw new SecretsError(
      "The database holds users or keys, but no record of the secrets they were made with.",
    );
  }
  // Another machine was first: what was made here is of no use to anybody.
  const useless = made.filter(
    (name) => record.fingerprints[name] !== fingerprints[name],
  );
  await deleteFiles(source, useless);
  return record;
}

async function deleteFiles(source: SecretSource, names: readonly string[]) {
  for (const name of names) await deleteKeyFile(source.keysDir, name);
}

/** The texts of all recorded secrets; every fault is told at once. */
async function readTexts(
  source: SecretSource,
  record: SecretsRecord,
  sql: Sql,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const faults: string[] = [];
  // Once it was replaced, the first one may be destroyed.
  const isReplaced = (await findAuditKey(sql)) !== undefined;
  for (const [name, fingerprint] of Object.entries(record.fingerprints)) {
    if (name === AUDIT && isReplaced) continue;
    const text = await findSecretText(source, name);
    if (text === undefined) {
      faults.push(
        `The secret "${name}" is missing here. Copy ${placeOf(source, name)} from a process that has it.`,
      );
    } else if (fingerprintOf(name, text) !== fingerprint) {
      faults.push(
        `The secret "${name}" is not the one that this database was made with. Copy the right one to ${placeOf(source, name)}.`,
      );
    } else {
      texts.set(name, text);
    }
  }
  if (faults.length > 0) throw new SecretsError(faults.join("\n"));
  return texts;
}

function readMasterKeys(
  source: SecretSource,
  texts: ReadonlyMap<string, string>,
): ReadonlyMap<number, MasterKey> {
  const keys = new Map<number, MasterKey>();
  for (const [name, text] of texts) {
    const epoch = epochOf(name);
    if (epoch === undefined) continue;
    keys.set(epoch, new MasterKey(epoch, readBytes(source, name, text)));
  }
  return keys;
}

/** A secret that cannot be used is refused before the database knows of it. */
export function assertReadable(
  source: SecretSource,
  name: string,
  text: string,
): void {
  if (isSigningName(name)) readSigningKey(source, name, text);
  else readBytes(source, name, text);
}
