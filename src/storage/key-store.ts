import { randomBytes } from "node:crypto";
import type { Sql } from "./database.ts";
import { insertKeys, listKeysById, listKeysByName } from "./keys.ts";
import type { KeyRow } from "./keys.ts";
import type { KeyName } from "./keyring.ts";
import type { MasterKey, MasterKeys } from "./master-key.ts";
import type { NidSource } from "./nids.ts";
import { SealingKey } from "./sealing.ts";

const SECRET_BYTES = 32;
/** How often an insert is tried that another process's insert, destruction or rotation crossed. */
const ATTEMPTS = 5;

export interface KeyStoreNeeds {
  sql: Sql;
  masterKeys: MasterKeys;
  nids: NidSource;
  now(): number;
}

export interface KeyStore {
  /** The keys of these (distinct) names in their order; missing ones are made. */
  getByNames(names: readonly KeyName[]): Promise<SealingKey[]>;
  /** Those that are living. */
  findByIds(keyIds: readonly number[]): Promise<SealingKey[]>;
}

/** Keys in the database: read, unwrapped, and made where they are missing. */
export function createKeyStore(needs: KeyStoreNeeds): KeyStore {
  const { sql, masterKeys } = needs;

  const getMasterKey = async (epoch: number): Promise<MasterKey> => {
    if (!masterKeys.find(epoch)) await masterKeys.reload();
    const found = masterKeys.find(epoch);
    if (found) return found;
    throw new Error(`The master key of epoch ${epoch} is not at hand.`);
  };

  const unwrap = async (rows: readonly KeyRow[]): Promise<SealingKey[]> => {
    const masters = new Map<number, MasterKey>();
    for (const epoch of new Set(rows.map((row) => row.masterEpoch))) {
      masters.set(epoch, await getMasterKey(epoch));
    }
    return rows.map((row) => {
      const { keyId, scope, owner, span, masterEpoch, wrapped } = row;
      const name = { scope, owner, span };
      const secret = masters.get(masterEpoch)!.unwrap(keyId, name, wrapped);
      return new SealingKey(keyId, name, secret);
    });
  };

  /** Makes what no other process makes at the same time; the rest is read after. */
  const make = async (names: readonly KeyName[]): Promise<SealingKey[]> => {
    const keyIds = await needs.nids.take(names.length);
    const master = await getMasterKey(masterKeys.epoch);
    const made = names.map((name, index) => {
      const key = { keyId: keyIds[index]!, secret: randomBytes(SECRET_BYTES) };
      return { ...key, name };
    });
    const rows = made.map(({ keyId, name, secret }) => ({
      keyId,
      ...name,
      masterEpoch: master.epoch,
      wrapped: master.wrap(keyId, name, secret),
    }));
    const ids = new Set(await insertKeys(sql, master.epoch, rows, needs.now()));
    return made
      .filter(({ keyId }) => ids.has(keyId))
      .map(({ keyId, name, secret }) => new SealingKey(keyId, name, secret));
  };

  return {
    async getByNames(names) {
      const found = new Map<string, SealingKey>();
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const isMissing = (name: KeyName) => !found.has(textOfName(name));
        const add = (keys: readonly SealingKey[]) => {
          for (const key of keys) found.set(textOfName(key.name), key);
        };
        add(await unwrap(await listKeysByName(sql, names.filter(isMissing))));
        const missing = names.filter(isMissing);
        if (missing.length > 0) add(await make(missing));
        if (!names.some(isMissing)) {
          return names.map((name) => found.get(textOfName(name))!);
        }
        // Nothing was made under an epoch that is over.
        if (attempt > 0) await masterKeys.reload();
      }
      throw new Error(
        "Keys could not be made: others change them all the time.",
      );
    },

    async findByIds(keyIds) {
      return unwrap(await listKeysById(sql, keyIds));
    },
  };
}

/** One text for each name; no part can hold what parts it from the next. */
export function textOfName({ scope, owner, span }: KeyName): string {
  return `${scope}\n${span}\n${owner}`;
}
