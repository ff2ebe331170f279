import { createHmac } from "node:crypto";
import { WeightedCache } from "../util/weighted-cache.ts";
import { decrypt, encrypt } from "./aead.ts";
import { deriveKey } from "./hkdf.ts";
import type { KeyHandle, Keyring, KeyName } from "./keyring.ts";

/** A living key. Its secret is private to the object: nothing prints or serialises it. */
export class SealingKey implements KeyHandle {
  readonly keyId: number;
  readonly name: KeyName;
  readonly #secret: Buffer;

  constructor(keyId: number, name: KeyName, secret: Buffer) {
    this.keyId = keyId;
    this.name = name;
    this.#secret = secret;
  }

  /** The key that seals under this one alone, or under both. */
  derive(second?: SealingKey): Buffer {
    return second === undefined
      ? deriveKey(this.#secret, `myelin seal ${this.keyId}`)
      : deriveKey(
          Buffer.concat([this.#secret, second.#secret]),
          `myelin seal ${this.keyId} ${second.keyId}`,
        );
  }

  /** The key of the hashes of words, which seals nothing. */
  deriveForWords(): Buffer {
    return deriveKey(this.#secret, `myelin words ${this.keyId}`);
  }
}

/** The handle of what is not sealed. */
export const NO_KEY: KeyHandle = { keyId: 0 };

export interface Sealing extends Pick<Keyring, "seal" | "open" | "hashWords"> {
  /** Drops what was derived from these keys. */
  forget(keyIds: ReadonlySet<number>): void;
}

/** Seals and opens; remembers the last `pairs` keys that it derived. */
export function createSealing(pairs: number): Sealing {
  const derived = new WeightedCache<string, Derived>(pairs, () => 1);

  const findOnce = (
    id: string,
    [firstKey, secondKey]: readonly [number, number],
    derive: () => Buffer,
  ): Buffer => {
    const found = derived.get(id);
    if (found !== undefined) return found.key;
    const key = derive();
    derived.set(id, { key, id, firstKey, secondKey });
    return key;
  };

  const find = (first: SealingKey, second?: SealingKey): Buffer => {
    const secondKey = second?.keyId ?? 0;
    const ids = [first.keyId, secondKey] as const;
    return findOnce(`${first.keyId} ${secondKey}`, ids, () =>
      first.derive(second),
    );
  };

  const findForWords = (handle: KeyHandle): Buffer => {
    if (handle.keyId === 0) return NOT_SECRET;
    const key = livingKey(handle);
    return findOnce(`words ${key.keyId}`, [key.keyId, 0], () =>
      key.deriveForWords(),
    );
  };

  return {
    seal(plaintext, context, first, second) {
      if (first.keyId === 0) {
        return { firstKey: 0, secondKey: 0, sealed: Buffer.from(plaintext) };
      }
      const key = find(livingKey(first), second && livingKey(second));
      return {
        firstKey: first.keyId,
        secondKey: second?.keyId ?? 0,
        sealed: encrypt(key, plaintext, context),
      };
    },

    open({ firstKey, secondKey, sealed }, context, keys) {
      if (firstKey === 0) return textOf(sealed);
      const first = keys.get(firstKey);
      const second = secondKey === 0 ? undefined : keys.get(secondKey);
      if (!first || (secondKey !== 0 && !second)) return undefined;
      const key = find(livingKey(first), second && livingKey(second));
      return decrypt(key, sealed, context).toString();
    },

    hashWords(words, context, handle) {
      const key = findForWords(handle);
      return words.map((word) =>
        createHmac("sha256", key)
          .update(`${context}\n${word}`)
          .digest()
          .readBigInt64BE()
          .toString(),
      );
    },

    forget(keyIds) {
      for (const { id, firstKey, secondKey } of derived.values()) {
        if (keyIds.has(firstKey) || keyIds.has(secondKey)) derived.delete(id);
      }
    },
  };
}

/** Of words that lie beside content which is not sealed. */
const NOT_SECRET = Buffer.alloc(32);

interface Derived {
  key: Buffer;
  id: string;
  firstKey: number;
  secondKey: number;
}

function livingKey(handle: KeyHandle): SealingKey {
  if (handle instanceof SealingKey) return handle;
  throw new TypeError(`Key ${handle.keyId} is no key of this keyring.`);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
