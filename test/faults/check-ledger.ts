import type { Ledger, Sent } from "./ledger.ts";
import type { PagedEvent } from "./paging.ts";
import { tell } from "./proof.ts";
import type { Reader } from "./reader.ts";

/** What the server holds when all is over. */
export interface Truth {
  /** Room → what was sent during the load, the oldest first. */
  events: Map<string, PagedEvent[]>;
  receipts: Map<string, string>;
  accountData: Map<string, number>;
  states: Map<string, number>;
  keys: Map<string, string[]>;
}

/** Compares what was acknowledged with what is there. */
export function checkLedger(
  ledger: Ledger,
  readers: readonly Reader[],
  truth: Truth,
): Record<string, string[]> {
  return {
    "every acknowledged send is found exactly once by paging back": tell(
      checkSent(ledger.sent, truth.events),
    ),
    "sends stand in their sender's order in each room": tell(
      checkOrder(truth.events),
    ),
    "every reader was shown each event once and left none out": tell(
      readers.flatMap(({ client, seen }) =>
        [...truth.events].flatMap(([roomId, events]) =>
          compare(
            `${client.userId} in ${roomId}`,
            events.map((event) => event.event_id),
            seen.get(roomId) ?? [],
          ),
        ),
      ),
    ),
    "every reader saw each sender's events in their order": tell(
      readers.flatMap(({ seen }) => checkSeenOrder(seen, truth.events)),
    ),
    "to-device messages came once each": tell(
      readers.flatMap(({ client, messages }) =>
        compare(
          client.userId,
          ledger.deviceMessages
            .filter(({ recipient }) => recipient === client.userId)
            .map(({ sender, number }) => `${sender} ${number}`),
          messages.map(({ sender, number }) => `${sender} ${number}`),
        ),
      ),
    ),
    "receipts stand where they were acknowledged last": tell(
      checkLast(ledger.receipts, truth.receipts),
    ),
    "account data is what was acknowledged last": tell(
      checkLast(ledger.accountData, truth.accountData),
    ),
    "state is what was acknowledged last": tell(
      checkLast(ledger.states, truth.states),
    ),
    "one-time keys were each given out once": tell(
      [...ledger.keys].flatMap(([userId, ids]) =>
        compare(userId, ids, truth.keys.get(userId) ?? []),
      ),
    ),
  };
}

function checkSent(sent: readonly Sent[], events: Truth["events"]): string[] {
  return [...events].flatMap(([roomId, found]) =>
    compare(
      roomId,
      sent
        .filter((one) => one.roomId === roomId)
        .map(({ eventId, sender, number }) => `${eventId} ${sender} ${number}`),
      found
        .filter(({ type }) => type === "m.room.message")
        .map((one) => `${one.event_id} ${one.sender} ${numberOf(one)}`),
    ),
  );
}

/** What one has and the other lacks, or has more than once. */
function compare(
  where: string,
  wanted: readonly string[],
  found: readonly string[],
): string[] {
  const counts = new Map<string, number>();
  for (const item of found) counts.set(item, (counts.get(item) ?? 0) + 1);
  const known = new Set(wanted);
  return [
    ...wanted
      .filter((item) => counts.get(item) !== 1)
      .map((item) => `${where}: ${item} ${counts.get(item) ?? 0} times`),
    ...[...counts.keys()]
      .filter((item) => !known.has(item))
      .map((item) => `${where}: ${item} is nobody's`),
  ];
}

const numberOf = ({ content }: PagedEvent): number => Number(content["number"]);

function checkOrder(events: Truth["events"]): string[] {
  return [...events].flatMap(([roomId, found]) =>
    listSteps(found.filter(({ type }) => type === "m.room.message")).map(
      (step) => `${roomId}: ${step}`,
    ),
  );
}

function checkSeenOrder(seen: Reader["seen"], truth: Truth["events"]) {
  return [...seen].flatMap(([roomId, ids]) => {
    const events = new Map(truth.get(roomId)?.map((e) => [e.event_id, e]));
    return listSteps(ids.flatMap((id) => events.get(id) ?? []));
  });
}

/** Where a sender's numbers go back. */
function listSteps(events: readonly PagedEvent[]): string[] {
  const last = new Map<string, number>();
  return events.flatMap((event) => {
    const number = numberOf(event);
    if (Number.isNaN(number)) return [];
    const before = last.get(event.sender) ?? 0;
    last.set(event.sender, number);
    return number >= before
      ? []
      : [`${event.sender}: ${number} after ${before}`];
  });
}

function checkLast<T>(wanted: Map<string, T>, found: Map<string, T>): string[] {
  return [...wanted]
    .filter(([place, value]) => found.get(place) !== value)
    .map(
      ([place, value]) =>
        `${place}: ${String(found.get(place))}, acknowledged ${String(value)}`,
    );
}
