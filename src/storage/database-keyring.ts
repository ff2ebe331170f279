import { WeightedCache } from "../util/weighted-cache.ts";
import type { Bus } from "./bus.ts";
import { createKeyStore, textOfName } from "./key-store.ts";
import type { KeyStoreNeeds } from "./key-store.ts";
import { NO_KEY, createSealing } from "./sealing.ts";
import type { SealingKey } from "./sealing.ts";
import type { KeyHandle, KeyName, Keyring } from "./keyring.ts";

export interface KeyringOptions extends KeyStoreNeeds {
  /** Tells of keys that other processes destroyed. */
  bus: Pick<Bus, "onMessage" | "onGap">;
  /** Whether new content is sealed; what is sealed already is opened either way. */
  isSealing: boolean;
  log: { error(details: object, message: string): void };
  /** How many keys are remembered, and as many derived ones. */
  cachedKeys?: number;
}

/** A keyring over the `keys` table; all its keys are wrapped under the master keys. */
export function createKeyring(options: KeyringOptions): Keyring {
  const { bus, isSealing, log, cachedKeys = 50_000 } = options;
  const store = createKeyStore(options);
  const sealing = createSealing(cachedKeys);
  const byId = new WeightedCache<number, SealingKey>(cachedKeys, () => 1);
  const byName = new WeightedCache<string, SealingKey>(cachedKeys, () => 1);
  /** Names that are being asked for or made, so that one query serves all who wait. */
  const pending = new Map<string, Promise<SealingKey>>();

  /** Counts destructions: an answer that one of them overtook is not remembered. */
  let forgotten = 0;

  const remember = (key: SealingKey, before: number) => {
    if (forgotten !== before) return;
    byId.set(key.keyId, key);
    byName.set(textOfName(key.name), key);
  };

  const request = (missing: ReadonlyMap<string, KeyName>) => {
    const texts = [...missing.keys()];
    const before = forgotten;
    const answers = store.getByNames([...missing.values()]);
    texts.forEach((text, index) => {
      const answer = answers
        .then((keys) => {
          remember(keys[index]!, before);
          return keys[index]!;
        })
        .finally(() => pending.delete(text));
      pending.set(text, answer);
    });
  };

  const prepare = async (names: readonly KeyName[]): Promise<KeyHandle[]> => {
    if (!isSealing) return names.map(() => NO_KEY);
    const texts = names.map(textOfName);
    const cached = texts.map((text) => byName.get(text));
    if (cached.every((key) => key !== undefined)) return cached;
    const missing = new Map<string, KeyName>();
    texts.forEach((text, index) => {
      if (!cached[index] && !pending.has(text))
        missing.set(text, names[index]!);
    });
    if (missing.size > 0) request(missing);
    return Promise.all(
      texts.map(async (text, index) => cached[index] ?? pending.get(text)!),
    );
  };

  const findByIds = async (keyIds: Iterable<number>) => {
    const keys = new Map<number, KeyHandle>();
    const missing = new Set<number>();
    for (const keyId of keyIds) {
      const cached = byId.get(keyId);
      if (cached) keys.set(keyId, cached);
      else if (keyId !== 0) missing.add(keyId);
    }
    if (missing.size > 0) {
      const before = forgotten;
      for (const key of await store.findByIds([...missing])) {
        remember(key, before);
        keys.set(key.keyId, key);
      }
    }
    return keys;
  };

  const forget = (keyIds: Iterable<number>) => {
    const ids = new Set(keyIds);
    forgotten += 1;
    sealing.forget(ids);
    for (const keyId of ids) byId.delete(keyId);
    for (const key of byName.values()) {
      if (ids.has(key.keyId)) byName.delete(textOfName(key.name));
    }
  };

  const sealUnder = async (
    name: KeyName,
    context: string,
    plaintext: string,
  ) => {
    const [key] = await prepare([name]);
    const { firstKey, sealed } = sealing.seal(plaintext, context, key!);
    return { keyId: firstKey, sealed };
  };

  const spanAt = (ts: number, isDay = false) =>
    new Date(ts).toISOString().slice(0, isDay ? 10 : 7);

  const tryOpen: Keyring["tryOpen"] = (content, context, keys) => {
    try {
      return sealing.open(content, context, keys);
    } catch (error) {
      // One damaged row must not take the others with it.
      const { firstKey } = content;
      log.error(
        { err: error, keyId: firstKey },
        "A sealed row cannot be opened.",
      );
      return undefined;
    }
  };

  bus.onMessage((message) => {
    if (message.kind === "keysDestroyed") forget(message.keyIds);
  });
  // Any of them may have been destroyed meanwhile.
  bus.onGap(() => {
    forget([...byId.values(), ...byName.values()].map((key) => key.keyId));
  });

  return {
    prepare,
    findByIds,
    seal: (...args) => sealing.seal(...args),
    open: (...args) => sealing.open(...args),
    tryOpen,
    hashWords: (...args) => sealing.hashWords(...args),

    sealForUser: (userId, ...what) =>
      sealUnder({ scope: "user", owner: userId, span: "" }, ...what),

    sealFileOf: (userId, ts, ...what) =>
      sealUnder(
        { scope: "user-files", owner: userId, span: spanAt(ts) },
        ...what,
      ),

    async openAll(rows) {
      const keys = await findByIds(new Set(rows.map((row) => row.keyId)));
      return rows.map(({ context, keyId, sealed }) =>
        tryOpen({ firstKey: keyId, secondKey: 0, sealed }, context, keys),
      );
    },

    spanAt,
    forget,
  };
}
