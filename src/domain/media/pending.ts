import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import { createPendingMedium } from "../../storage/media.ts";
import { newMediaId } from "./upload.ts";

/** Gives out an id to upload to. Throws `M_LIMIT_EXCEEDED` where the user holds too many. */
export async function createPending(
  edges: Pick<Edges, "db" | "now" | "random" | "settings">,
  userId: string,
): Promise<{ mediaId: string; expiresTs: number }> {
  const { legacyDownloads, maxPending, pendingMs } = edges.settings.media;
  const mediaId = newMediaId(edges);
  const now = edges.now();
  const expiresTs = now + pendingMs;
  const isLegacy = legacyDownloads === "on";
  const soonest = await createPendingMedium(
    edges.db,
    { mediaId, userId, now, expiresTs, isLegacy },
    maxPending,
  );
  if (soonest === null) return { mediaId, expiresTs };
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many of your ids wait for their content: upload to them first.",
    { retry_after_ms: Math.max(1, soonest - now) },
  );
}
