import type { BackedUpKey } from "../../storage/backed-up-keys.ts";

/** What a sealed key of a backup is bound to. */
export const backedUpKeyContext = (
  userId: string,
  version: number,
  { roomId, sessionId }: Pick<BackedUpKey, "roomId" | "sessionId">,
): string =>
  `backed_up_keys.sealed ${userId} ${version} ${roomId} ${sessionId}`;
