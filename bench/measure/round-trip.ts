import { fetchFile, makeSeed, sendFile, type Caller } from "../matrix/files.ts";

interface Cost {
  readonly ms: number;
  /** Of all of the server's processes: what else the machine does leaves it alone. */
  readonly cpuMs: number;
}

export interface RoundTrip {
  readonly up: Cost;
  readonly down: Cost;
  /** What came down is what went up. */
  readonly isSame: boolean;
}

/** A file that nobody has sent before goes up and comes down. */
export async function measureRoundTrip(
  caller: Caller,
  mebibytes: number,
  cpuSeconds: () => number,
): Promise<RoundTrip> {
  const timed = async <T>(work: () => Promise<T>) => {
    const begun = { ms: performance.now(), cpu: cpuSeconds() };
    const result = await work();
    const ms = performance.now() - begun.ms;
    const cpuMs = Math.round((cpuSeconds() - begun.cpu) * 1000);
    return { result, cost: { ms, cpuMs } };
  };
  const seed = makeSeed();
  const up = await timed(() => sendFile(caller, seed, mebibytes));
  const down = await timed(() => fetchFile(caller, up.result, seed, mebibytes));
  return { up: up.cost, down: down.cost, isSame: down.result };
}
