import { createHash, sign, verify, type KeyObject } from "node:crypto";
import { KeyChain, type Signer } from "./audit-keys.ts";
import { canonicalJson } from "./canonical-json.ts";

/** A record in its place, as exports and the database hold it. */
export interface ChainLink {
  seq: number;
  record: string;
  /** In hexadecimal digits; empty before the first link. */
  prevHash: string;
  hash: string;
}

/** The chain as it stood when this was signed. */
export interface Checkpoint {
  server: string;
  seq: number;
  hash: string;
  ts: number;
  keyId: string;
}

export interface SignedCheckpoint {
  checkpoint: Checkpoint;
  /** Base64. */
  signature: string;
}

/** What the database computes in its committing call. */
export const hashLink = (
  prevHash: string,
  seq: number,
  record: string,
): string =>
  createHash("sha256")
    .update(Buffer.from(prevHash, "hex"))
    .update(`${seq} ${record}`)
    .digest("hex");

const textOf = ({ server, seq, hash, ts, keyId }: Checkpoint): Buffer =>
  Buffer.from(
    canonicalJson({
      ...{ server, seq, hash, ts },
      key_id: keyId,
      what: "myelin audit checkpoint",
    }),
  );

export const signCheckpoint = (
  checkpoint: Checkpoint,
  privateKey: KeyObject,
): SignedCheckpoint => ({
  checkpoint,
  signature: sign(null, textOf(checkpoint), privateKey).toString("base64"),
});

export const isSigned = (
  { checkpoint, signature }: SignedCheckpoint,
  publicKey: KeyObject,
): boolean =>
  verify(null, textOf(checkpoint), publicKey, Buffer.from(signature, "base64"));

/** Where the chain is not what it was, and why that is known. */
export interface ChainFault {
  /** The first record that is missing, or not what was written. */
  seq: number;
  /** Where only the end of a stretch is known, its last record. */
  upTo?: number;
  why: string;
}

export interface ChainReport {
  first: number;
  last: number;
  links: number;
  /** Up to where a signature or a copy from outside vouches for it; 0 for nowhere. */
  vouchedTo: number;
  fault?: ChainFault;
}

/**
 * Follows a chain link by link and says where it first departs from what was written.
 * Whoever can write the table can compute a chain anew: only what was signed, or brought
 * outside, tells that.
 */
export class ChainVerifier {
  readonly #keys: KeyChain | undefined;
  /** From outside, by their place. */
  readonly #anchors: ReadonlyMap<number, Checkpoint>;
  #first = 0;
  #last = 0;
  #links = 0;
  #hash = "";
  #vouchedTo = 0;
  #fault: ChainFault | undefined;

  /** @param key the one that is trusted, or that and those which followed */
  constructor(
    key?: KeyObject | KeyChain,
    anchors: readonly SignedCheckpoint[] = [],
  ) {
    this.#keys =
      key === undefined || key instanceof KeyChain ? key : new KeyChain(key);
    for (const anchor of anchors)
      this.#askWhoSigned(anchor, "the checkpoint from outside");
    this.#anchors = new Map(
      anchors.map(({ checkpoint }) => [checkpoint.seq, checkpoint]),
    );
  }

  get isBroken(): boolean {
    return this.#fault !== undefined;
  }

  /** @param isFaithful whether what stands beside the record is what it says */
  follow(link: ChainLink, isFaithful = true): void {
    if (this.#fault) return;
    if (this.#links === 0) this.#begin(link);
    const { seq, record, prevHash, hash } = link;
    const expected = this.#last + 1;
    if (seq > expected)
      return this.#fail({ seq: expected, why: "it is missing" });
    if (seq < expected)
      return this.#fail({
        seq: expected,
        why: `record ${seq} stands in its place`,
      });
    if (prevHash !== this.#hash)
      return this.#fail({
        seq,
        why: "it does not follow from the one before it",
      });
    if (hashLink(prevHash, seq, record) !== hash)
      return this.#fail({ seq, why: "it is not what its hash was made of" });
    if (!isFaithful)
      return this.#fail({
        seq,
        why: "what stands beside it for its readers is not what it says",
      });
    const forged = this.#keys?.fault;
    if (forged && forged.seq <= seq) return this.#fail(forged);
    this.#links += 1;
    this.#last = seq;
    this.#hash = hash;
    const anchor = this.#anchors.get(seq);
    if (anchor) this.#compare(anchor, "the checkpoint from outside");
  }

  /** A checkpoint that stands within what is verified. */
  pass(signed: SignedCheckpoint): void {
    if (this.#fault || !this.#keys) return;
    const { checkpoint } = signed;
    const signer = this.#askWhoSigned(signed, "its checkpoint");
    if (this.#fault) return;
    if (checkpoint.seq === this.#last)
      this.#compare(checkpoint, "its signed checkpoint", signer === "trusted");
    else if (checkpoint.seq > this.#last)
      this.#fail({
        seq: this.#last + 1,
        why: `it is missing: a checkpoint of record ${checkpoint.seq} was signed`,
      });
  }

  end(): ChainReport {
    if (this.#keys?.fault) this.#fail(this.#keys.fault);
    const beyond = [...this.#anchors.keys()].filter((seq) => seq > this.#last);
    if (!this.#fault && beyond.length > 0)
      this.#fail({
        seq: this.#last + 1,
        why: `it is missing: the checkpoint from outside is of record ${Math.max(...beyond)}`,
      });
    return {
      first: this.#first,
      last: this.#last,
      links: this.#links,
      vouchedTo: this.#vouchedTo,
      ...(this.#fault && { fault: this.#fault }),
    };
  }

  /** A part may begin anywhere; the whole begins with nothing before it. */
  #begin({ seq, prevHash }: ChainLink): void {
    this.#first = seq;
    this.#last = seq - 1;
    this.#hash = seq === 1 ? "" : prevHash;
    const anchor = this.#anchors.get(seq - 1);
    if (anchor) this.#compare(anchor, "the checkpoint from outside");
  }

  #askWhoSigned(signed: SignedCheckpoint, what: string): Signer | undefined {
    const { seq } = signed.checkpoint;
    const signer = this.#keys?.signerOf(seq, (key) => isSigned(signed, key));
    if (signer === "stranger")
      this.#fail({ seq, why: `${what} is not signed by this key` });
    if (signer === "replaced")
      this.#fail({
        seq,
        why: `${what} is signed by a key that had been replaced`,
      });
    return signer;
  }

  #compare(checkpoint: Checkpoint, what: string, isVouching = true): void {
    if (checkpoint.hash === this.#hash) {
      if (isVouching) this.#vouchedTo = checkpoint.seq;
      return;
    }
    const seq = Math.max(this.#vouchedTo + 1, this.#first);
    this.#fail({
      ...{ seq, upTo: checkpoint.seq },
      why: `the chain was made anew: ${what} of record ${checkpoint.seq} has another hash`,
    });
  }

  #fail(fault: ChainFault): void {
    this.#fault ??= fault;
  }
}
