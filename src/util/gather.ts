/**
 * Asks for many keys together where they are asked for one by one in the same
 * turn of the event loop.
 */
export function gather<K, V>(
  load: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>,
): (key: K) => Promise<V | undefined> {
  let waiting: Set<K> | undefined;
  let loading: Promise<ReadonlyMap<K, V>> | undefined;

  const begin = (keys: Set<K>): Promise<ReadonlyMap<K, V>> =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        waiting = undefined;
        load([...keys]).then(resolve, reject);
      });
    });

  return async (key) => {
    if (!waiting) {
      waiting = new Set();
      loading = begin(waiting);
    }
    waiting.add(key);
    return (await loading!).get(key);
  };
}
