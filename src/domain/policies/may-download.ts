import { listRoomsOfMedium } from "../../storage/policy-facts.ts";
import { decideNow, refusedBy, type PolicyEdges } from "./enforce.ts";

/** Of a file that was shown in more, those decide. */
const MOST_ROOMS = 100;

/**
 * Whether who asks may have a file. It belongs to the rooms in which its uploader showed
 * it: who may not have files of any of these, or may not read them, does not get it,
 * wherever else its address was told.
 * @throws MatrixError M_FORBIDDEN
 */
export async function assertMayDownload(
  edges: PolicyEdges,
  mediaId: string,
): Promise<void> {
  const userId = edges.asker?.userId ?? "";
  const roomNids = await listRoomsOfMedium(edges.db, mediaId, MOST_ROOMS);
  const targets =
    roomNids.length > 0 ? roomNids.map((roomNid) => ({ roomNid })) : [{}];
  const [downloads, reads] = await Promise.all([
    decideNow(edges, userId, "media_download", targets),
    decideNow(edges, userId, "read", targets),
  ]);
  const isOpen = targets.some((target, i) => {
    const isReadable = !("roomNid" in target) || reads[i]!.isAllowed;
    return isReadable && downloads[i]!.isAllowed;
  });
  if (isOpen) return;
  const refusal = [...downloads, ...reads].find(({ isAllowed }) => !isAllowed);
  throw refusedBy(refusal ?? { isAllowed: false });
}
