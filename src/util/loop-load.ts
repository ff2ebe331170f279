const OVER_MS = 1000;

/**
 * Tells how busy the event loop is, 0 to 1: a mean in which what was a second ago counts
 * a third. Over less than that, whoever asks after work of their own would hear of that alone.
 */
export function createLoopMeter(): () => number {
  let before = performance.eventLoopUtilization();
  let mean = before.utilization;
  return () => {
    const now = performance.eventLoopUtilization();
    const { active, idle, utilization } = performance.eventLoopUtilization(
      now,
      before,
    );
    before = now;
    const isPast = Math.exp(-(active + idle) / OVER_MS);
    mean = isPast * mean + (1 - isPast) * utilization;
    return mean;
  };
}

/** How long work rests that can wait, in times of what it took. */
export interface Rests {
  /** Where the event loop is never idle; a quarter of it where it is idle half of its time. */
  mostTimes: number;
  longestMs: number;
}

/** How long it is, in ms, after a piece of such work that took so long. */
export const restFor = (
  tookMs: number,
  utilization: number,
  { mostTimes, longestMs }: Rests,
): number => Math.min(tookMs * mostTimes * utilization ** 2, longestMs);
