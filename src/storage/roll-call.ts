import { randomUUID } from "node:crypto";
import type { Bus } from "./bus.ts";

/** Asks all processes that listen whether they have heard. */
export interface RollCall {
  /**
   * Resolves when everyone that listens has answered the call that `publish`
   * sends, or after `longestMs`. Never rejects.
   */
  ask(publish: (call: string) => void, longestMs: number): Promise<void>;
  /** One process answered, maybe twice. */
  note(call: string, by: string): void;
  close(): void;
}

interface Call {
  heard: Set<string>;
  /** Unknown until they are counted. */
  expected: number;
  end(): void;
}

export function createRollCall({
  countListeners,
}: Pick<Bus, "countListeners">): RollCall {
  const calls = new Map<string, Call>();

  const settle = (call: Call): void => {
    if (call.heard.size >= call.expected) call.end();
  };

  return {
    ask: (publish, longestMs) =>
      new Promise((resolve) => {
        const id = randomUUID();
        const call: Call = {
          heard: new Set(),
          expected: Infinity,
          end() {
            clearTimeout(timer);
            calls.delete(id);
            resolve();
          },
        };
        const timer = setTimeout(() => call.end(), longestMs);
        calls.set(id, call);
        // Who begins to listen after this has nothing old to forget.
        countListeners().then(
          (count) => {
            call.expected = count;
            settle(call);
          },
          () => undefined,
        );
        publish(id);
      }),
    note(id, by) {
      const call = calls.get(id);
      if (!call) return;
      call.heard.add(by);
      settle(call);
    },
    close() {
      for (const call of calls.values()) call.end();
    },
  };
}
