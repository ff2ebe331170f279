import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;
/** What encryption adds to a plaintext. */
export const OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES;

/** Nonces are drawn many at a time: one call to the system costs as much as sealing. */
const POOL_BYTES = NONCE_BYTES * 512;
let pool = Buffer.alloc(0);
let drawn = 0;

function takeNonce(): Buffer {
  if (drawn === pool.length) {
    pool = randomBytes(POOL_BYTES);
    drawn = 0;
  }
  drawn += NONCE_BYTES;
  return pool.subarray(drawn - NONCE_BYTES, drawn);
}

/** AES-256-GCM: a version byte, a random nonce of 96 bits, the ciphertext, the tag. */
export function encrypt(
  key: Uint8Array,
  plaintext: string | Uint8Array,
  associated: string,
): Buffer {
  const nonce = takeNonce();
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(associated));
  const body =
    typeof plaintext === "string"
      ? cipher.update(plaintext, "utf8")
      : cipher.update(plaintext);
  cipher.final();
  const sealed = Buffer.allocUnsafe(OVERHEAD_BYTES + body.length);
  sealed[0] = VERSION;
  sealed.set(nonce, 1);
  sealed.set(body, HEAD_BYTES);
  sealed.set(cipher.getAuthTag(), HEAD_BYTES + body.length);
  return sealed;
}

/** Undoes `encrypt`; throws where key, associated data or bytes are not the same. */
export function decrypt(
  key: Uint8Array,
  sealed: Uint8Array,
  associated: string,
): Buffer {
  if (sealed.length < OVERHEAD_BYTES || sealed[0] !== VERSION) {
    throw new Error("The sealed bytes have no known form.");
  }
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(
    "aes-256-gcm",
    key,
    sealed.subarray(1, HEAD_BYTES),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(HEAD_BYTES, end));
  decipher.final();
  return plaintext;
}
