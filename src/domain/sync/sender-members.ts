import type { Edges } from "../../edges.ts";
import { escapeText, unescapeText } from "../../storage/json-text.ts";
import { listCurrentMembers } from "../../storage/sync-changes.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

/** The member event of a sender, and the position up to which it is known to stand. */
interface Known {
  nid: number;
  at: number;
}

const members = slot(() => new WeightedCache<string, Known>(100_000, () => 1));

export type MemberNids = ReadonlyMap<number, ReadonlyMap<string, number>>;

/**
 * The current member events of senders, by room and user. Whatever changes one touches
 * its user in the stream, so what is remembered holds until then.
 */
export async function readSenderMembers(
  { db, memory, notifier }: Pick<Edges, "db" | "memory" | "notifier">,
  senders: readonly { roomNid: number; sender: string }[],
): Promise<MemberNids> {
  const cache = memory.of(members);
  const at = notifier.position;
  const byRoom = new Map<number, Map<string, number>>();
  const add = (roomNid: number, sender: string, nid: number): void => {
    const known = byRoom.get(roomNid);
    if (known) known.set(sender, nid);
    else byRoom.set(roomNid, new Map([[sender, nid]]));
  };
  const unknown = new Map<string, { roomNid: number; stateKey: string }>();
  for (const { roomNid, sender } of senders) {
    const key = `${roomNid} ${sender}`;
    const known = cache.get(key);
    if (known && !notifier.isTouched(sender, known.at)) {
      known.at = Math.max(known.at, at);
      add(roomNid, sender, known.nid);
    } else {
      unknown.set(key, { roomNid, stateKey: escapeText(sender) });
    }
  }
  const rows = await listCurrentMembers(db, [...unknown.values()]);
  for (const { roomNid, stateKey, nid } of rows) {
    const sender = unescapeText(stateKey);
    cache.set(`${roomNid} ${sender}`, { nid, at });
    add(roomNid, sender, nid);
  }
  return byRoom;
}
