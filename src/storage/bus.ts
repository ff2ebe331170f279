import { readBusMessage, writeBusMessage } from "./bus-message.ts";
import type { BusMessage } from "./bus-message.ts";
import { openSameDatabase } from "./database.ts";
import type { Sql } from "./database.ts";

/** Hints between processes, over NOTIFY and one LISTEN connection per process. */
export interface Bus {
  /**
   * Tells all processes, this one too, soon and in order. Kept and tried again
   * while the database is out of reach.
   */
  publish(message: BusMessage): void;
  /** How many processes listen at this moment, this one too. */
  countListeners(): Promise<number>;
  onMessage(listener: (message: BusMessage) => void): void;
  /** Called when the connection is there again: hints may have been lost. */
  onGap(listener: () => void): void;
  close(): Promise<void>;
}

export interface BusOptions {
  log: {
    warn(details: object, message: string): void;
  };
}

const CHANNEL = "myelin";
/** By this name of its connection a process is known to listen. */
const LISTENER = "myelin listener";
const RETRY_MS = 250;
/** What waits for a database that is away; the oldest go first. */
const MOST_WAITING = 10_000;
const MOST_AT_ONCE = 200;

/** Listens; resolves when the connection is there. It connects again by itself. */
export async function createBus(sql: Sql, { log }: BusOptions): Promise<Bus> {
  const listeners: ((message: BusMessage) => void)[] = [];
  const gapListeners: (() => void)[] = [];
  let waiting: string[] = [];
  let sending: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  const listener = openSameDatabase(sql, {
    poolSize: 1,
    settings: { application_name: LISTENER },
  });
  const hear = (text: string) => {
    const message = readBusMessage(text);
    if (message) for (const tell of listeners) tell(message);
    else log.warn({}, "A notification of unknown form was left out.");
  };
  const connected = () => {
    for (const tell of gapListeners) tell();
  };
  try {
    await listener.listen(CHANNEL, hear, connected);
  } catch (error) {
    await listener.end({ timeout: 0 });
    throw error;
  }

  const sendAll = async () => {
    while (waiting.length > 0) {
      const texts = waiting.splice(0, MOST_AT_ONCE);
      try {
        await sql`select pg_notify(${CHANNEL}, text) from unnest(${texts}::text[]) as text`;
      } catch (error) {
        waiting.unshift(...texts);
        throw error;
      }
    }
  };

  const send = () => {
    if (sending || retry) return;
    sending = sendAll()
      .catch((error: unknown) => {
        log.warn({ err: error }, "Hints to other processes have to wait.");
        if (isClosed) return;
        retry = setTimeout(() => {
          retry = undefined;
          send();
        }, RETRY_MS);
      })
      .finally(() => {
        sending = undefined;
        if (!retry && !isClosed && waiting.length > 0) send();
      });
  };

  return {
    publish(message) {
      waiting.push(...writeBusMessage(message));
      if (waiting.length > MOST_WAITING) waiting = waiting.slice(-MOST_WAITING);
      send();
    },
    async countListeners() {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from pg_stat_activity
        where datname = current_database() and application_name = ${LISTENER}`;
      return row!.count;
    },
    onMessage: (told) => void listeners.push(told),
    onGap: (told) => void gapListeners.push(told),
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await sending;
      await listener.end({ timeout: 0 });
    },
  };
}
