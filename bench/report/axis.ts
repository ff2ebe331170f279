/** Where the marks of an axis are, and where on it a value is, from 0 to 1. */
export interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

const STEPS = [1, 2, 2.5, 5, 10];
const MOST_TICKS = 6;

/** From 0 to a round number that nothing is above. */
export function linearAxis(values: readonly number[]): Axis {
  const largest = Math.max(...values, Number.MIN_VALUE);
  const rough = largest / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((one) => one * power >= rough) ?? 10);
  const count = Math.ceil(largest / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => i * step);
  return { ticks, place: (value) => value / (count * step) };
}

/** Marks at powers of ten around all values. */
export function logAxis(values: readonly number[]): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from(
    { length: high - low + 1 },
    (_, i) => 10 ** (low + i),
  );
  return {
    ticks,
    place: (value) => (Math.log10(value) - low) / (high - low),
  };
}

/** Marks where something was measured, each as far from the last as it is times as large. */
export function sizeAxis(values: readonly number[]): Axis {
  const ticks = [...new Set(values)].sort((a, b) => a - b);
  const [low, high] = [Math.log(ticks[0] ?? 1), Math.log(ticks.at(-1) ?? 1)];
  const span = high - low || 1;
  return { ticks, place: (value) => (Math.log(value) - low) / span };
}
