/** One send, by the order in which it was begun and acknowledged. */
export interface Entry {
  readonly roomId: string;
  readonly sender: string;
  /** The message's text, which no other message of the run has. */
  readonly label: string;
  readonly begun: number;
  /** Undefined while the server has not said 200. */
  acknowledged?: { readonly at: number; readonly eventId: string };
}

/** A message as a reader was shown it. */
export interface Seen {
  readonly eventId: string;
  readonly label: string;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly missing: number;
  readonly duplicated: number;
  /** Shown after what its sender began only when it had been acknowledged. */
  readonly outOfOrder: number;
  /** Shown though never acknowledged, which is allowed. */
  readonly unacknowledged: number;
}

export const NOTHING: Verdict = {
  acknowledged: 0,
  missing: 0,
  duplicated: 0,
  outOfOrder: 0,
  unacknowledged: 0,
};

/** Holds what a reader of a room was shown, oldest first, against its entries. */
export function judge(
  entries: readonly Entry[],
  seen: readonly Seen[],
): Verdict {
  const byLabel = new Map(entries.map((entry) => [entry.label, entry]));
  const shown = new Map<Entry, Set<string>>();
  const latestBegun = new Map<string, number>();
  let duplicated = 0;
  let outOfOrder = 0;
  for (const { label, eventId } of seen) {
    const entry = byLabel.get(label);
    if (entry === undefined) continue;
    const eventIds = shown.get(entry);
    if (eventIds !== undefined) {
      duplicated++;
      eventIds.add(eventId);
      continue;
    }
    shown.set(entry, new Set([eventId]));
    const latest = latestBegun.get(entry.sender) ?? -1;
    if (entry.acknowledged && latest > entry.acknowledged.at) outOfOrder++;
    latestBegun.set(entry.sender, Math.max(latest, entry.begun));
  }
  const acknowledged = entries.filter((entry) => entry.acknowledged);
  const isFound = (entry: Entry) =>
    shown.get(entry)?.has(entry.acknowledged?.eventId ?? "") ?? false;
  return {
    acknowledged: acknowledged.length,
    missing: acknowledged.filter((entry) => !isFound(entry)).length,
    duplicated,
    outOfOrder,
    unacknowledged: [...shown.keys()].filter((entry) => !entry.acknowledged)
      .length,
  };
}

export const addVerdicts = (a: Verdict, b: Verdict): Verdict => ({
  acknowledged: a.acknowledged + b.acknowledged,
  missing: a.missing + b.missing,
  duplicated: a.duplicated + b.duplicated,
  outOfOrder: a.outOfOrder + b.outOfOrder,
  unacknowledged: a.unacknowledged + b.unacknowledged,
});

/** By paging back, and by incremental syncs alone. */
export interface Ledgers {
  readonly history: Verdict;
  readonly sync: Verdict;
}

export const addLedgers = (a: Ledgers, b: Ledgers): Ledgers => ({
  history: addVerdicts(a.history, b.history),
  sync: addVerdicts(a.sync, b.sync),
});

export const isWhole = ({ missing, duplicated, outOfOrder }: Verdict) =>
  missing + duplicated + outOfOrder === 0;
