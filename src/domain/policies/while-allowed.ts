import type { Edges } from "../../edges.ts";
import { areUnlimited, type PolicyEdges } from "./enforce.ts";
import { assertMayDownload } from "./may-download.ts";

/** How long what was decided is good where the stream says nothing: of the time of day it does not. */
const TRUST_MS = 1000;

/**
 * The pieces of a file for as long as who asked for it may have it.
 * @throws MatrixError M_FORBIDDEN between two of them
 */
export async function* whileAllowed(
  edges: PolicyEdges & Pick<Edges, "notifier">,
  mediaId: string,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { notifier, asker } = edges;
  let { position } = notifier;
  let decidedAt = performance.now();
  const isDue = () =>
    performance.now() - decidedAt > TRUST_MS ||
    notifier.isTouched(asker?.userId ?? "", position);
  for await (const piece of pieces) {
    if (isDue()) {
      ({ position } = notifier);
      decidedAt = performance.now();
      if (!areUnlimited(edges)) await assertMayDownload(edges, mediaId);
    }
    yield piece;
  }
}
