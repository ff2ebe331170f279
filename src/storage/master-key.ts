import { decrypt, encrypt } from "./aead.ts";
import { deriveKey } from "./hkdf.ts";
import type { KeyName } from "./keyring.ts";

/** The master keys that a process holds, by epoch. */
export interface MasterKeys {
  /** The epoch that new keys are wrapped under. */
  readonly epoch: number;
  find(epoch: number): MasterKey | undefined;
  /** Reads anew what the database and the key folder say; another process may have rotated. */
  reload(): Promise<void>;
}

/** Wraps keys for the database. Its secret is private to the object. */
export class MasterKey {
  readonly epoch: number;
  readonly #secret: Buffer;

  constructor(epoch: number, secret: Uint8Array) {
    this.epoch = epoch;
    this.#secret = deriveKey(secret, `myelin wrap ${epoch}`);
  }

  wrap(keyId: number, name: KeyName, secret: Uint8Array): Buffer {
    return encrypt(this.#secret, secret, labelOf(keyId, name));
  }

  /** Throws where the row is not the one that was wrapped. */
  unwrap(keyId: number, name: KeyName, wrapped: Uint8Array): Buffer {
    return decrypt(this.#secret, wrapped, labelOf(keyId, name));
  }
}

/** Binds a wrapped key to its row: moved to another, it does not open. */
function labelOf(keyId: number, { scope, owner, span }: KeyName): string {
  return JSON.stringify([keyId, scope, owner, span]);
}

interface Held {
  epoch: number;
  keys: ReadonlyMap<number, MasterKey>;
}

/** Master keys that follow a rotation made elsewhere: `read` tells what holds now. */
export function createMasterKeys(
  first: Held,
  read: () => Promise<Held>,
): MasterKeys {
  let held = first;
  return {
    get epoch() {
      return held.epoch;
    },
    find: (epoch) => held.keys.get(epoch),
    async reload() {
      held = await read();
    },
  };
}
