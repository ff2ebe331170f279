import type { ChainLink, SignedCheckpoint } from "../../core/audit-chain.ts";
import type { CheckpointRow } from "../../storage/audit-checkpoints.ts";
import type { AuditRow } from "../../storage/audit-log.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A row of the log as what verifies it takes it. */
export const linkOf = ({
  seq,
  record,
  prevHash,
  hash,
}: AuditRow): ChainLink => ({
  ...{ seq, record },
  prevHash: hex(prevHash),
  hash: hex(hash),
});

export const signedOf = (
  { seq, hash, ts, keyId, signature }: CheckpointRow,
  server: string,
): SignedCheckpoint => ({
  checkpoint: { server, seq, hash: hex(hash), ts, keyId },
  signature: Buffer.from(signature).toString("base64"),
});
