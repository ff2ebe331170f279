import type { Entry } from "./verdict.ts";

/** What was sent and what of it was acknowledged, with a clock that only orders. */
export class Ledger {
  readonly #run: string;
  readonly #rooms = new Map<string, Entry[]>();
  #clock = 0;
  #count = 0;

  constructor(run: string) {
    this.#run = run;
  }

  begin(roomId: string, sender: string): Entry {
    const entry: Entry = {
      roomId,
      sender,
      label: `bench-${this.#run}-${this.#count++}`,
      begun: this.#clock++,
    };
    const entries = this.#rooms.get(roomId);
    if (entries) entries.push(entry);
    else this.#rooms.set(roomId, [entry]);
    return entry;
  }

  acknowledge(entry: Entry, eventId: string): void {
    entry.acknowledged = { at: this.#clock++, eventId };
  }

  roomIds(): string[] {
    return [...this.#rooms.keys()];
  }

  entriesOf(roomId: string): readonly Entry[] {
    return this.#rooms.get(roomId) ?? [];
  }
}

/** The labels in a text of JSON. */
export const LABELS = /"body":\s*"(bench-[a-z0-9]+-\d+)"/g;
