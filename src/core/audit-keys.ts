import { createPublicKey, type KeyObject } from "node:crypto";
import type { JsonValue } from "./json.ts";
import {
  isStatement,
  ROTATION,
  type SignedStatement,
} from "./audit-statements.ts";

/** A key of the audit log that gave its place to another. */
export interface KeyRotation {
  /** The record that says so. */
  seq: number;
  signed: SignedStatement;
}

/**
 * Who signed: one that is trusted, one that the trusted one came after, one that had been
 * replaced by then, or none of them.
 */
export type Signer = "trusted" | "earlier" | "replaced" | "stranger";

/**
 * The keys that sign an audit log, each from the record on that names it. Whoever trusts
 * one of them trusts those that come after, since each has signed its successor. What came
 * before is only as good as what the trusted one has signed since.
 */
export class KeyChain {
  #keys: { from: number; key: KeyObject }[] = [];
  readonly #trusted: number;
  /** The first rotation that is none. */
  readonly fault: { seq: number; why: string } | undefined;

  constructor(trusted: KeyObject, rotations: readonly KeyRotation[] = []) {
    for (const { seq, signed } of rotations) {
      const before = keyIn(signed.statement["old_public_key"]);
      const after = keyIn(signed.statement["public_key"]);
      const last = this.#keys.at(-1) ?? { from: 0, key: before };
      if (
        !before ||
        !after ||
        seq <= last.from ||
        !last.key?.equals(before) ||
        !isStatement(ROTATION, signed, before)
      ) {
        this.fault = {
          seq,
          why: "it names a new key that the one before did not sign",
        };
        break;
      }
      if (this.#keys.length === 0) this.#keys.push({ from: 0, key: before });
      this.#keys.push({ from: seq, key: after });
    }
    this.#trusted = this.#keys.findIndex(({ key }) => key.equals(trusted));
    if (this.#trusted >= 0) return;
    const [first] = rotations;
    if (first)
      this.fault ??= {
        seq: first.seq,
        why: "it names keys of which none is the one that is given",
      };
    this.#keys = [{ from: 0, key: trusted }];
    this.#trusted = 0;
  }

  /** @param isBy whether a key has signed what is of the log up to `seq` */
  signerOf(seq: number, isBy: (key: KeyObject) => boolean): Signer {
    const due = this.#keys.findLastIndex(({ from }) => from <= seq);
    // A key may sign what was written before it came.
    const signer = this.#keys.findLastIndex(({ key }) => isBy(key));
    if (signer < 0) return "stranger";
    if (signer < due) return "replaced";
    return signer >= this.#trusted ? "trusted" : "earlier";
  }
}

const keyIn = (raw: JsonValue | undefined): KeyObject | undefined =>
  typeof raw === "string" ? readPublicKey(raw) : undefined;

/** A public key in unpadded base64. */
export function readPublicKey(raw: string): KeyObject | undefined {
  if (!/^[A-Za-z0-9+/]{43}$/.test(raw)) return undefined;
  const x = Buffer.from(raw, "base64").toString("base64url");
  return createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x },
    format: "jwk",
  });
}
