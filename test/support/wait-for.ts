/** What can tell that something changed. */
interface Emitter {
  on(name: string, listener: () => void): unknown;
  off(name: string, listener: () => void): unknown;
}

/**
 * Resolves with the first answer that is there, asking at once and then after
 * every one of these events; rejects after `ms`.
 */
export function waitFor<T>(
  what: string,
  sources: readonly (readonly [emitter: Emitter, name: string])[],
  find: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 20_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = () => {
      Promise.resolve()
        .then(find)
        .then((found) => {
          if (found !== undefined && found !== false) end(() => resolve(found));
        })
        .catch((error: unknown) => end(() => reject(error as Error)));
    };
    const end = (finish: () => void) => {
      clearTimeout(timer);
      for (const [emitter, name] of sources) emitter.off(name, look);
      finish();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`${what}: not within ${ms} ms`))),
      ms,
    );
    for (const [emitter, name] of sources) emitter.on(name, look);
    look();
  });
}
