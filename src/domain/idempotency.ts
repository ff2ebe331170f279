import { createHash } from "node:crypto";
import type { Transaction } from "./rooms/proposal.ts";

/**
 * A client's transaction, keyed by all that makes its id unique: the user, the
 * device (not the token), the endpoint with what its path names, and the room.
 */
export function transactionOf(
  { userId, deviceId }: { userId: string; deviceId: string },
  endpoint: string,
  roomId: string,
  txnId: string,
): Transaction {
  const key = createHash("sha256")
    .update(JSON.stringify([userId, deviceId, endpoint, roomId, txnId]))
    .digest()
    .subarray(0, 16);
  return { deviceId, txnId, key };
}
