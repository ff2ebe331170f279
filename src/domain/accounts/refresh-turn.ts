import { createHash } from "node:crypto";
import type { UsableRefreshRow } from "../../storage/sessions.ts";
import type { Write } from "../../storage/write.ts";

/**
 * Claims for what refresh tokens give next: of a refresh, a login on the device
 * and the end of its session at once, one wins.
 */
export const claimTurns = (
  rows: readonly UsableRefreshRow[],
): NonNullable<Write["idempotency"]> =>
  rows.map(({ tokenHash, nextHash }) => ({
    key: createHash("sha256")
      .update("refresh\n")
      .update(tokenHash)
      .update(nextHash ?? "")
      .digest()
      .subarray(0, 16),
    answer: "",
  }));
