import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { rateLimiterOf } from "./rate-limits.ts";

export type GuessEdges = Pick<
  Edges,
  "db" | "keyring" | "settings" | "memory" | "now" | "log" | "passwordHasher"
>;

/**
 * Runs a check that somebody may be guessing at. Wrong guesses empty the buckets
 * of what is guessed at (an account) and of whoever guesses (an address); a right
 * one is given back. Throws `M_LIMIT_EXCEEDED`.
 * @param findOther asked for another bucket where one is empty
 */
export async function guess<T>(
  edges: GuessEdges,
  keys: readonly string[],
  check: () => Promise<T>,
  findOther: (key: string) => Promise<string | undefined> = async () =>
    undefined,
): Promise<T> {
  const limiter = rateLimiterOf(edges);
  const taken: string[] = [];
  const giveBack = () =>
    Promise.all(taken.map((key) => limiter.giveBack("login", key)));
  const take = async (key: string) => {
    await limiter.take("login", key);
    taken.push(key);
  };
  try {
    for (const key of keys) {
      try {
        await take(key);
      } catch (error) {
        const other = isLimit(error) ? await findOther(key) : undefined;
        if (other === undefined) throw error;
        await take(other);
      }
    }
    const answer = await check();
    await giveBack();
    return answer;
  } catch (error) {
    // A guess that was not looked at counts for nobody else.
    if (isLimit(error)) await giveBack();
    throw error;
  }
}

const isLimit = (error: unknown): boolean =>
  error instanceof MatrixError && error.errcode === "M_LIMIT_EXCEEDED";
