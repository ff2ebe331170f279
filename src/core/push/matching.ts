import { EventTexts } from "./event-texts.ts";
import { WorkLimit } from "./work.ts";

/**
 * What the rules of one person may cost for one event, some ten milliseconds at most, and
 * those of all. A rule that would cost more than is left does not match.
 */
export const STEPS_OF_ONE = 4_000_000;
export const STEPS_OF_ALL = 40_000_000;

/** What it takes to match one event with the rules of many people. */
export class EventMatching {
  readonly texts = new EventTexts();
  readonly #work = new WorkLimit(STEPS_OF_ALL);
  readonly #byUser = new Map<string, WorkLimit>();

  workFor(userId: string): WorkLimit {
    let work = this.#byUser.get(userId);
    if (!work) {
      work = new WorkLimit(STEPS_OF_ONE, this.#work);
      this.#byUser.set(userId, work);
    }
    return work;
  }
}
