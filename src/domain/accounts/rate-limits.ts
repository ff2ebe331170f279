import { createHmac } from "node:crypto";
import { MatrixError, withoutStack } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  chargeTokens,
  deleteBuckets,
  takeTokens,
} from "../../storage/rate-limits.ts";
import type { Bucket } from "../../storage/rate-limits.ts";
import { isUnanswered } from "../../storage/storage-unavailable.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import {
  deniedFor,
  deny,
  holdSpare,
  leaseSize,
  newLease,
  noteTokens,
  takeSpare,
} from "./token-lease.ts";
import type { Lease } from "./token-lease.ts";

/** What is counted together. Each kind has its own bucket per key. */
export type RateLimitKind =
  | "login"
  | "register"
  | "message"
  | "createRoom"
  | "join"
  | "invite"
  | "profile"
  | "keys"
  | "toDevice"
  | "ephemeral"
  | "upload"
  | "media"
  | "mediaTraffic"
  | "firstSync"
  | "history"
  | "rendezvous"
  | "search"
  | "urlPreview"
  | "report"
  | "export"
  | "admin"
  | "other";

export interface RateLimiter {
  /**
   * Takes `cost` (1 unless said) tokens from the bucket of `kind` and `key` (an
   * address or a user id). Throws `M_LIMIT_EXCEEDED` with `retry_after_ms`.
   * @param limit in place of the one that the settings have for this kind
   */
  take(
    kind: RateLimitKind,
    key: string,
    cost?: number,
    limit?: { perSecond: number; burst: number },
  ): Promise<void>;
  /** Takes what was used already, whether or not there is as much: who owes waits for longer. */
  charge(kind: RateLimitKind, key: string, cost: number): Promise<void>;
  /** Puts a token back that was taken for nothing. */
  giveBack(kind: RateLimitKind, key: string): Promise<void>;
}

type Needs = Pick<Edges, "db" | "settings" | "now" | "log">;

const REMEMBERED_KEYS = 20_000;
const LONGEST_KEY = 255;

interface Limit {
  perSecond: number;
  burst: number;
}

interface Held {
  readonly bucket: Bucket;
  readonly lease: Lease;
}

const SWEEP_MS = 10 * 60 * 1000;

/** Buckets that all processes share. A process may hold a twentieth of a bucket ahead. */
export function createRateLimiter(needs: Needs): RateLimiter {
  const { settings, now } = needs;
  if (!settings.rateLimitsEnabled) return unlimited;
  const held = new WeightedCache<string, Held>(REMEMBERED_KEYS, () => 1);
  let sweptTs = now();

  const hold = (kind: RateLimitKind, key: string, limit?: Limit): Held => {
    // What is no address and no user id may be of any length.
    const isLong = key.length > LONGEST_KEY;
    const name = isLong ? bucketOf(kind, key).key : `${kind} ${key}`;
    const known = held.get(name);
    const isSame = known !== undefined && isOf(known.bucket, kind, limit);
    // What is remembered of a time to come is of a clock that was set back.
    if (isSame && known.lease.knownTs <= now()) return known;
    const bucket = isSame ? known.bucket : bucketOf(kind, key, limit);
    const made = { bucket, lease: newLease(now()) };
    held.set(name, made);
    return made;
  };

  const ask = async (bucket: Bucket, lease: Lease, cost: number) => {
    const answer = await takeTokens(needs.db, bucket, cost, now());
    noteTokens(lease, answer.tokens, now());
    return answer;
  };

  const takeShared = async (bucket: Bucket, lease: Lease, cost: number) => {
    const ahead = leaseSize(lease, bucket, now());
    const most = Math.min(cost + ahead, bucket.burst);
    let { isTaken, tokens } = await ask(bucket, lease, most);
    if (isTaken) {
      if (most > cost) holdSpare(lease, most - cost, now());
      return;
    }
    if (tokens >= cost && most > cost) {
      ({ isTaken, tokens } = await ask(bucket, lease, cost));
      if (isTaken) return;
    }
    const missing = Math.max(0, cost - tokens);
    const missingMs = Math.ceil((missing / bucket.perSecond) * 1000);
    deny(lease, cost, now() + missingMs);
    throw limitExceeded(missingMs);
  };

  const sweep = async () => {
    if (now() - sweptTs < SWEEP_MS) return;
    sweptTs = now();
    await deleteBuckets(needs.db, sweptTs - longestFill(settings.rateLimits));
  };

  const limitOf = (kind: RateLimitKind): Limit => {
    const limit = settings.rateLimits[kind];
    if (!limit) throw new TypeError(`There is no rate limit "${kind}".`);
    return limit;
  };

  const bucketOf = (
    kind: RateLimitKind,
    key: string,
    limit = limitOf(kind),
  ): Bucket => ({
    key: bucketKeyOf(settings.password.pepper, kind, key),
    perSecond: limit.perSecond,
    burst: limit.burst,
  });

  const isOf = (bucket: Bucket, kind: RateLimitKind, limit = limitOf(kind)) =>
    bucket.perSecond === limit.perSecond && bucket.burst === limit.burst;

  return {
    async giveBack(kind, key) {
      const { bucket, lease } = hold(kind, key);
      await ask(bucket, lease, -1);
      deny(lease, Infinity, 0);
    },
    async charge(kind, key, cost) {
      const { bucket, lease } = hold(kind, key);
      const tokens = await chargeTokens(needs.db, bucket, cost, now());
      noteTokens(lease, tokens, now());
      lease.spareUntil = 0;
    },
    async take(kind, key, cost = 1, limit?: Limit) {
      const { bucket, lease } = hold(kind, key, limit);
      const wanted = Math.min(cost, bucket.burst);
      if (takeSpare(lease, wanted, now())) return;
      const waitMs = deniedFor(lease, wanted, now());
      if (waitMs > 0) throw limitExceeded(waitMs);
      await takeShared(bucket, lease, wanted);
      await sweep().catch((error: unknown) => {
        if (isUnanswered(error)) throw error;
        needs.log.warn({ err: error }, "Full buckets are forgotten later.");
      });
    },
  };
}

const unlimited: RateLimiter = {
  take: () => Promise.resolve(),
  charge: () => Promise.resolve(),
  giveBack: () => Promise.resolve(),
};

const limiters = slot((): { made?: RateLimiter } => ({}));

/** The one rate limiter of this process. */
export function rateLimiterOf(
  edges: Needs & Pick<Edges, "memory">,
): RateLimiter {
  const held = edges.memory.of(limiters);
  return (held.made ??= createRateLimiter(edges));
}

/** Neither addresses nor user ids stand in the table. */
export function bucketKeyOf(pepper: Buffer, kind: string, key: string): string {
  return createHmac("sha256", pepper)
    .update(`rate limit\n${kind}\n${key}`)
    .digest("base64url");
}

/** After how many milliseconds any bucket is full, one that owes as much as it holds too. */
function longestFill(limits: Edges["settings"]["rateLimits"]): number {
  const fills = Object.values(limits).map(
    ({ perSecond, burst }) => ((2 * burst) / perSecond) * 1000,
  );
  return Math.ceil(Math.max(0, ...fills));
}

export function limitExceeded(retryAfterMs: number): MatrixError {
  const seconds = Math.ceil(retryAfterMs / 1000);
  return withoutStack(
    () =>
      new MatrixError(
        "M_LIMIT_EXCEEDED",
        `Too many requests. Try again in ${seconds} seconds.`,
        { retry_after_ms: Math.max(1, retryAfterMs) },
      ),
  );
}
