import { createHash } from "node:crypto";

/** An erasure is done, or taken back: the key that one of the two uses. */
export const erasureClaim = (userId: string, requestedTs: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["erasure", userId, requestedTs]))
    .digest()
    .subarray(0, 16);
