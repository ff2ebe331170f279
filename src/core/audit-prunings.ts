import type { ChainFault, ChainLink } from "./audit-chain.ts";
import type { KeyChain } from "./audit-keys.ts";
import { isStatement, PRUNING, readStatement } from "./audit-statements.ts";

/**
 * Why a log may begin later than with its first record: a record that a key of the log has
 * signed says up to where it was pruned.
 */
export class Prunings {
  readonly #keys: KeyChain | undefined;
  /** By the last record that is no longer kept, its hash. */
  readonly #heads = new Map<number, string>();
  #first: ChainLink | undefined;
  #fault: ChainFault | undefined;

  constructor(keys: KeyChain | undefined) {
    this.#keys = keys;
  }

  follow(link: ChainLink): void {
    this.#first ??= link;
    const signed = readStatement(PRUNING, link.record);
    if (!signed) return;
    const signer = this.#keys?.signerOf(link.seq, (key) =>
      isStatement(PRUNING, signed, key),
    );
    const { seq, hash } = signed.statement;
    const isGenuine = signer !== "stranger" && signer !== "replaced";
    if (isGenuine && typeof seq === "number" && typeof hash === "string")
      this.#heads.set(seq, hash);
    else
      this.#fault ??= {
        seq: link.seq,
        why: "it says that the log was pruned, and the log's key did not",
      };
  }

  /** @param from where it is known to begin; absent for a log as it is kept */
  findFault(from?: number): ChainFault | undefined {
    if (this.#fault || !this.#first) return this.#fault;
    const { seq, prevHash } = this.#first;
    if (seq === (from ?? 1)) return undefined;
    const before = seq - 1;
    if (from !== undefined)
      return {
        ...{ seq: from, upTo: Math.max(before, from) },
        why: "the export begins elsewhere",
      };
    const pruned = this.#heads.get(before);
    if (pruned !== undefined && pruned !== prevHash)
      return {
        seq,
        why: "it does not follow from the last one that was pruned",
      };
    if (Math.max(0, ...this.#heads.keys()) >= before) return undefined;
    return {
      ...{ seq: 1, upTo: before },
      why: "it is missing, and no record says that it was pruned",
    };
  }
}
