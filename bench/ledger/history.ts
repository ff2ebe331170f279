import type { Account } from "../matrix/account.ts";
import { readPage, type TimelineEvent } from "../matrix/rooms.ts";
import type { Seen } from "./verdict.ts";

const PAGE = 500;
const MAX_PAGES = 20_000;

interface Stretch {
  /** Where to begin; the newest event if left out. */
  readonly from?: string;
  /** The token of the other end. */
  readonly to?: string;
  /** Ends at the first event that is known. */
  readonly isKnown?: (eventId: string) => boolean;
}

/** Pages back through a room; the messages found, oldest first. */
export async function readBack(
  reader: Account,
  roomId: string,
  { from: start, to, isKnown }: Stretch = {},
): Promise<Seen[]> {
  const found: Seen[] = [];
  let from = start;
  for (let i = 0; i < MAX_PAGES; i++) {
    const request = { dir: "b", limit: PAGE, from, to } as const;
    const { chunk, end } = await readPage(reader, roomId, request);
    const known = chunk.findIndex(({ event_id }) => isKnown?.(event_id));
    const fresh = known === -1 ? chunk : chunk.slice(0, known);
    found.push(...listMessages(fresh));
    if (known !== -1 || end === undefined || end === from)
      return found.reverse();
    if (chunk.length === 0 && to !== undefined) return found.reverse();
    from = end;
  }
  throw new Error(`${roomId} has more than ${MAX_PAGES} pages`);
}

export const listMessages = (events: readonly TimelineEvent[]): Seen[] =>
  events
    .filter(({ type }) => type === "m.room.message")
    .map(({ event_id: eventId, content }) => ({
      eventId,
      label: typeof content.body === "string" ? content.body : "",
    }));
