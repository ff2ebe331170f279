/** What a process remembers of a bucket, so that not every take asks the database. */
export interface Lease {
  /** Tokens taken from the bucket ahead of need, and until when they hold. */
  spare: number;
  spareUntil: number;
  /** The bucket is known to hold too little for `deniedCost` until then. */
  deniedUntil: number;
  deniedCost: number;
  /** What the bucket held when it was last asked. */
  known: number;
  knownTs: number;
  /** Tokens taken in this second and in the one before, to know the busy from the idle. */
  taken: number;
  takenBefore: number;
  countedFrom: number;
}

export const newLease = (now: number): Lease => ({
  known: 0,
  knownTs: now,
  spare: 0,
  spareUntil: 0,
  deniedUntil: 0,
  deniedCost: Infinity,
  taken: 0,
  takenBefore: 0,
  countedFrom: now,
});

const WINDOW_MS = 1000;
/** The part of a bucket that a process may hold ahead; what it does not use is lost. */
const LEASED_PART = 0.05;

/** Takes from what the process holds; tells whether it was enough. */
export function takeSpare(lease: Lease, cost: number, now: number): boolean {
  count(lease, cost, now);
  if (lease.spareUntil <= now) lease.spare = 0;
  if (lease.spare < cost) return false;
  lease.spare -= cost;
  return true;
}

/**
 * How many tokens to take ahead: what a busy key will use in a quarter of a
 * second, and no more than half of what the bucket seems to hold.
 */
export function leaseSize(
  lease: Lease,
  { perSecond, burst }: { perSecond: number; burst: number },
  now: number,
): number {
  const rate = Math.max(lease.taken, lease.takenBefore);
  const filled = ((now - lease.knownTs) * perSecond) / 1000;
  const held = Math.max(0, Math.min(burst, lease.known + filled));
  return Math.floor(Math.min(burst * LEASED_PART, rate / 4, held / 2));
}

export function noteTokens(lease: Lease, tokens: number, now: number): void {
  lease.known = tokens;
  lease.knownTs = now;
}

export function holdSpare(lease: Lease, tokens: number, now: number): void {
  lease.spare += tokens;
  lease.spareUntil = now + WINDOW_MS;
}

/** Milliseconds until it is worth asking again; 0 where that is now. */
export function deniedFor(lease: Lease, cost: number, now: number): number {
  return cost >= lease.deniedCost ? Math.max(0, lease.deniedUntil - now) : 0;
}

export function deny(lease: Lease, cost: number, until: number): void {
  lease.deniedCost = cost;
  lease.deniedUntil = until;
}

function count(lease: Lease, cost: number, now: number): void {
  if (now - lease.countedFrom >= WINDOW_MS) {
    const isNext = now - lease.countedFrom < 2 * WINDOW_MS;
    lease.takenBefore = isNext ? lease.taken : 0;
    lease.taken = 0;
    lease.countedFrom = now;
  }
  lease.taken += cost;
}
