import type { Sql } from "./database.ts";
import { makeKeyFile } from "./key-files.ts";
import { listKeysOfOtherEpochs, replaceWraps } from "./keys.ts";
import type { KeyRow } from "./keys.ts";
import type { MasterKey, MasterKeys } from "./master-key.ts";
import {
  epochOf,
  findSecretText,
  fingerprintOf,
  makeSecretText,
  masterName,
} from "./secret-source.ts";
import type { SecretSource } from "./secret-source.ts";
import { assertReadable } from "./secrets.ts";
import { findSecretsRecord, updateSecretsRecord } from "./secrets-record.ts";
import type { SecretsRecord } from "./secrets-record.ts";

/** A rotation that was done to its end. */
export interface Rotation {
  /** The epoch of all living keys. */
  epoch: number;
  /** Epochs that open nothing more: their master keys can be destroyed. */
  retired: number[];
  rewrapped: number;
}

/**
 * Wraps all living keys anew under a master key of a new epoch. Killed on the
 * way and called again it goes on where it was. The new master key is taken from
 * the environment or the key folder if it lies there already (put there on every
 * machine of a deployment that does not share the folder), else it is made.
 */
export async function rotateMasterKey(
  sql: Sql,
  source: SecretSource,
  masterKeys: MasterKeys,
  { batch = 500 }: { batch?: number } = {},
): Promise<Rotation> {
  const record = await getRecord(sql);
  if (epochsOf(record.fingerprints).length === 1) {
    await beginEpoch(sql, source, record);
  }
  await masterKeys.reload();
  const { epoch } = masterKeys;
  const rewrapped = await rewrapAll(sql, masterKeys, batch);
  return { epoch, retired: await retireOthers(sql, epoch), rewrapped };
}

async function getRecord(sql: Sql) {
  const record = await findSecretsRecord(sql);
  if (record) return record;
  throw new TypeError("A database without secrets has nothing to rotate.");
}

function epochsOf(fingerprints: Readonly<Record<string, string>>): number[] {
  return Object.keys(fingerprints)
    .map(epochOf)
    .filter((epoch) => epoch !== undefined);
}

/** From here on no key is made under an older epoch. */
async function beginEpoch(
  sql: Sql,
  source: SecretSource,
  record: SecretsRecord,
) {
  const epoch = record.epoch + 1;
  const name = masterName(epoch);
  if ((await findSecretText(source, name)) === undefined) {
    await makeKeyFile(source.keysDir, name, makeSecretText(name));
  }
  const text = (await findSecretText(source, name)) ?? "";
  assertReadable(source, name, text);
  // Where it is lost to another process that rotates, that one's epoch is taken.
  await updateSecretsRecord(sql, record, {
    epoch,
    fingerprints: {
      ...record.fingerprints,
      [name]: fingerprintOf(name, text),
    },
  });
}

async function rewrapAll(sql: Sql, masterKeys: MasterKeys, batch: number) {
  const target = getMaster(masterKeys, masterKeys.epoch);
  for (let rewrapped = 0; ;) {
    const rows = await listKeysOfOtherEpochs(sql, target.epoch, batch);
    if (rows.length === 0) return rewrapped;
    await replaceWraps(
      sql,
      target.epoch,
      rows.map((row) => rewrap(row, masterKeys, target)),
    );
    rewrapped += rows.length;
  }
}

function rewrap(row: KeyRow, masterKeys: MasterKeys, target: MasterKey) {
  const { keyId, wrapped, masterEpoch } = row;
  const secret = getMaster(masterKeys, masterEpoch).unwrap(keyId, row, wrapped);
  return { ...row, wrapped: target.wrap(keyId, row, secret) };
}

function getMaster(masterKeys: MasterKeys, epoch: number): MasterKey {
  const key = masterKeys.find(epoch);
  if (key) return key;
  throw new Error(`The master key of epoch ${epoch} is not at hand.`);
}

/** The database asks for the old master keys no more. */
async function retireOthers(sql: Sql, epoch: number): Promise<number[]> {
  const record = await getRecord(sql);
  const retired = epochsOf(record.fingerprints).filter((old) => old < epoch);
  const gone = new Set(retired.map(masterName));
  await updateSecretsRecord(sql, record, {
    epoch: record.epoch,
    fingerprints: Object.fromEntries(
      Object.entries(record.fingerprints).filter(([name]) => !gone.has(name)),
    ),
  });
  return retired;
}
