import type { Edges } from "../../edges.ts";
import { deleteBucket, takeTokens } from "../../storage/rate-limits.ts";
import { isKnownAddress } from "./known-address.ts";
import { bucketKeyOf } from "./rate-limits.ts";

type Needs = Pick<Edges, "db" | "settings">;

/** How many wrong passwords may follow each other, from wherever. */
const MOST = 100;

/** An account's own count: no sweep takes it, and no time fills it. */
const countOf = ({ settings }: Needs, userId: string): string =>
  `failures ${bucketKeyOf(settings.password.pepper, "failures", userId)}`;

/**
 * Counts a try, which is a failure until `forgetFailures`, and tells whether the password
 * is to be looked at: after a hundred failures in succession only where the account's
 * devices are used. A name that nobody has costs the same.
 */
export async function mayTryPassword(
  edges: Needs & Pick<Edges, "keyring" | "now">,
  userId: string,
  address: string,
  isAccount: boolean,
): Promise<boolean> {
  const own = countOf(edges, userId);
  const key = isAccount ? own : own.replace(/^failures /, "");
  const ts = isAccount ? 0 : edges.now();
  const bucket = { key, perSecond: 0, burst: MOST };
  const { isTaken } = await takeTokens(edges.db, bucket, 1, ts);
  return isTaken || isKnownAddress(edges, userId, address);
}

/** The right password was given, or it is another one from now on. */
export const forgetFailures = (edges: Needs, userId: string): Promise<void> =>
  edges.settings.rateLimitsEnabled
    ? deleteBucket(edges.db, countOf(edges, userId))
    : Promise.resolve();
