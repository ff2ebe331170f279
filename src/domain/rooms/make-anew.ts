import { LostRace, tooBusy } from "./room-queue.ts";

const MAX_ATTEMPTS = 100;

/** Makes and writes again what lost a race over something of its own. */
export async function makeAnew<Made>(
  make: (attempt: number) => Promise<Made>,
): Promise<Made> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      return await make(attempt);
    } catch (error) {
      if (!(error instanceof LostRace)) throw error;
    }
  }
  throw tooBusy();
}
