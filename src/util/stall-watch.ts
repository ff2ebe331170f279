/** Notices when this process did not run: stopped, or starved by others. */
export interface StallWatch {
  /** It did not run for so long that what began before is out of date. */
  isStalled(): boolean;
  /** Called once when it runs again. */
  onStall(listener: (ms: number) => void): void;
  close(): void;
}

const BEAT_MS = 250;
/** Clients were promised an answer by then; they have asked others since. */
const LONGEST_MS = 5000;

export function watchStalls(longestMs = LONGEST_MS): StallWatch {
  const listeners: ((ms: number) => void)[] = [];
  let last = performance.now();
  const beat = setInterval(() => {
    const ms = performance.now() - last;
    last = performance.now();
    if (ms > longestMs) for (const tell of listeners) tell(ms);
  }, BEAT_MS);
  beat.unref();
  return {
    isStalled: () => performance.now() - last > longestMs,
    onStall: (listener) => void listeners.push(listener),
    close: () => clearInterval(beat),
  };
}
