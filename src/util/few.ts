/** Some of a kind, of which there is mostly one: a set of one takes ten times as much. */
export type Few<T extends object> = T | Set<T>;

/** Adds one to those of a key. */
export function addFew<K, T extends object>(
  index: Map<K, Few<T>>,
  key: K,
  one: T,
): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, one);
  else if (known instanceof Set) known.add(one);
  else if (known !== one) index.set(key, new Set([known, one]));
}

/** Takes one from those of a key. */
export function removeFew<K, T extends object>(
  index: Map<K, Few<T>>,
  key: K,
  one: T,
): void {
  const known = index.get(key);
  if (known instanceof Set) known.delete(one);
  const isLast = known === one || (known instanceof Set && known.size === 0);
  if (isLast) index.delete(key);
}

/** A copy of them. */
export function listFew<T extends object>(few: Few<T> | undefined): T[] {
  if (few === undefined) return [];
  return few instanceof Set ? [...few] : [few];
}
