import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { rateLimiterOf } from "./rate-limits.ts";

export type GuessEdges = Pick<
  Edges,
  "db" | "settings" | "memory" | "now" | "log" | "passwordHasher"
>;

/**
 * Runs a check that somebody may be guessing at. Wrong guesses empty the buckets
 * of what is guessed at (an account) and of whoever guesses (an address); a right
 * one is given back. Throws `M_LIMIT_EXCEEDED`.
 */
export async function guess<T>(
  edges: GuessEdges,
  keys: readonly string[],
  check: () => Promise<T>,
): Promise<T> {
  const limiter = rateLimiterOf(edges);
  const taken: string[] = [];
  const giveBack = () =>
    Promise.all(taken.map((key) => limiter.giveBack("login", key)));
  try {
    for (const key of keys) {
      await limiter.take("login", key);
      taken.push(key);
    }
    const answer = await check();
    await giveBack();
    return answer;
  } catch (error) {
    // A guess that was not looked at counts for nobody else.
    const isLimited =
      error instanceof MatrixError && error.errcode === "M_LIMIT_EXCEEDED";
    if (isLimited) await giveBack();
    throw error;
  }
}
