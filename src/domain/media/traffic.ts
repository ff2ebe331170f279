import type { Edges } from "../../edges.ts";
import { rateLimiterOf } from "../accounts/rate-limits.ts";

type Needs = Pick<Edges, "db" | "log" | "memory" | "now" | "settings">;
type Read = (start: number, end: number) => AsyncIterable<Uint8Array>;

const KIB = 1024;

/**
 * Lets a file be read by who has not had too much, and charges them for what they took of
 * it when that has ended: how much that will be is not known before.
 * @param key the user id of who asks, or their address where they have none
 * @throws MatrixError M_LIMIT_EXCEEDED
 */
export async function readOnAccount(
  edges: Needs,
  key: string,
  read: Read,
): Promise<Read> {
  const limiter = rateLimiterOf(edges);
  await limiter.take("mediaTraffic", key);
  return (start, end) =>
    counted(read(start, end), (bytes) => {
      limiter
        .charge("mediaTraffic", key, Math.ceil(bytes / KIB))
        .catch((err: unknown) => {
          edges.log.warn({ err }, "A download was not charged.");
        });
    });
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onEnd: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  } finally {
    onEnd(bytes);
  }
}
