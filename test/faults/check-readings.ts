import type { Following, Opened, Reading } from "../clients/device-program.ts";
import { tell, type Outcome } from "./proof.ts";

/** An acknowledged message. */
export interface Sent {
  eventId: string;
  /** The device's name. */
  sender: string;
  /** Each message has its own. */
  body: string;
  /** Names of the devices that were in the room when it was sent. */
  readers: readonly string[];
}

/** What one device found in the end, and met on the way. */
export interface Found {
  name: string;
  reading: Reading;
  following: Following;
}

/** Compares what was acknowledged with what each device could read. */
export function checkReadings(
  sent: readonly Sent[],
  found: readonly Found[],
): Outcome {
  const owed = new Map(
    found.map(({ name }) => [
      name,
      sent.filter(({ readers }) => readers.includes(name)),
    ]),
  );
  const collect = (list: (one: Found, owed: readonly Sent[]) => string[]) =>
    tell(
      found.flatMap((one) =>
        list(one, owed.get(one.name) ?? []).map(
          (problem) => `${one.name}: ${problem}`,
        ),
      ),
    );
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    counts: {
      acknowledged: sent.length,
      "to be read by a device": sum([...owed.values()].map((o) => o.length)),
      "shown before their keys came": sum(
        found.map(({ following }) => following.late),
      ),
    },
    claims: {
      "each device reads every acknowledged message": collect(
        ({ reading }, owed) => listMissing(owed, reading.opened),
      ),
      "no message is there twice": collect(({ reading }) =>
        listTwice(reading.opened),
      ),
      "none is undecryptable": collect(({ reading }, owed) =>
        listClosed(owed, reading.closed),
      ),
      "none that a sync showed stays undecryptable": collect(
        ({ following }, owed) => listClosed(owed, following.closed),
      ),
      "no sync tells an event again": collect(({ following }) =>
        listRepeated(following.shown),
      ),
    },
  };
}

const bodyOf = ({ content }: Opened): string => String(content["body"]);

function listMissing(
  owed: readonly Sent[],
  opened: readonly Opened[],
): string[] {
  const bodies = new Map(opened.map((one) => [one.event_id, bodyOf(one)]));
  return owed
    .filter(({ eventId, body }) => bodies.get(eventId) !== body)
    .map(({ eventId, body }) => `${eventId} ${body}`);
}

/** By the text: what was sent twice has two ids. */
const listTwice = (opened: readonly Opened[]): string[] =>
  listRepeated(
    opened.filter(({ type }) => type === "m.room.message").map(bodyOf),
  );

function listClosed(
  owed: readonly Sent[],
  closed: Reading["closed"],
): string[] {
  return owed
    .filter(({ eventId }) => closed[eventId] !== undefined)
    .map(({ eventId, body }) => `${eventId} ${body}: ${closed[eventId]}`);
}

function listRepeated(items: readonly string[]): string[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.has(item) || !seen.add(item));
}
