import { createHash } from "node:crypto";

/** Sorted event numbers as varints of their differences. */
export function encodeNids(nids: Iterable<number>): Uint8Array {
  const sorted = [...nids].sort((a, b) => a - b);
  const bytes: number[] = [];
  let last = 0;
  for (const nid of sorted) {
    let rest = nid - last;
    last = nid;
    while (rest >= 128) {
      bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

export function decodeNids(bytes: Uint8Array): number[] {
  const nids: number[] = [];
  let last = 0;
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    if (byte & 128) {
      scale *= 128;
    } else {
      last += value;
      nids.push(last);
      value = 0;
      scale = 1;
    }
  }
  return nids;
}

const MODULUS = 1n << 128n;

function hashOf(nid: number): bigint {
  const digest = createHash("sha256").update(String(nid)).digest("hex");
  return BigInt(`0x${digest.slice(0, 32)}`);
}

const toBigInt = (hash: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(hash).toString("hex")}`);

export const EMPTY_SET_HASH: Uint8Array = new Uint8Array(16);

/**
 * The hash of a set after a change: the sum of its members' hashes modulo
 * 2^128, so that a delta costs what it holds. Event numbers are ours alone, so
 * nobody can search for collisions.
 */
export function moveSetHash(
  hash: Uint8Array,
  added: Iterable<number>,
  removed: Iterable<number>,
): Uint8Array {
  let sum = toBigInt(hash);
  for (const nid of added) sum += hashOf(nid);
  for (const nid of removed) sum += MODULUS - hashOf(nid);
  return Buffer.from((sum % MODULUS).toString(16).padStart(32, "0"), "hex");
}
