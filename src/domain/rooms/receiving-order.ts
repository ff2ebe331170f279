import type { Edges } from "../../edges.ts";
import { slot } from "../../util/process-memory.ts";

const lasts = slot(() => new Map<number, Promise<unknown>>());

/**
 * Runs one task after the other for each room. Local writers, and receivers in
 * other processes, are met when the room's state version is compared.
 */
export function inReceivingOrder<T>(
  { memory }: Pick<Edges, "memory">,
  roomNid: number,
  task: () => Promise<T>,
): Promise<T> {
  const all = memory.of(lasts);
  const before = all.get(roomNid) ?? Promise.resolve();
  const running = before.catch(() => undefined).then(task);
  all.set(roomNid, running);
  const forget = () => {
    if (all.get(roomNid) === running) all.delete(roomNid);
  };
  running.then(forget, forget);
  return running;
}
