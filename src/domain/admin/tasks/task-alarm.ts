import type { Edges } from "../../../edges.ts";
import { slot } from "../../../util/process-memory.ts";

/** Tells who does tasks in this process that there is one. */
class TaskAlarm {
  #listener: (() => void) | undefined;

  onRing(listener: (() => void) | undefined): void {
    this.#listener = listener;
  }

  ring(): void {
    this.#listener?.();
  }
}

const alarms = slot(() => new TaskAlarm());

export const taskAlarmOf = ({ memory }: Pick<Edges, "memory">): TaskAlarm =>
  memory.of(alarms);
