import type { Edges } from "../../edges.ts";
import { slot } from "../../util/process-memory.ts";

/** Tells who sends delayed events in this process that one may be due before they look again. */
class DelayAlarm {
  #listener: ((inMs: number) => void) | undefined;

  onSet(listener: ((inMs: number) => void) | undefined): void {
    this.#listener = listener;
  }

  set(inMs: number): void {
    this.#listener?.(inMs);
  }
}

const alarms = slot(() => new DelayAlarm());

export const alarmOf = ({ memory }: Pick<Edges, "memory">): DelayAlarm =>
  memory.of(alarms);
