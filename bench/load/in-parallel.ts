/** Maps with at most `width` at once, the results in the order of the items. */
export async function mapInParallel<T, R>(
  items: readonly T[],
  width: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array<R>(items.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < items.length; i = next++)
      results[i] = await map(items[i]!, i);
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}

/** 0, 1, … count - 1. */
export const upTo = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => i);
