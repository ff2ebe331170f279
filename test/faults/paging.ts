import type { Client } from "./client.ts";

export interface PagedEvent {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
}

/** All events of a room, or of a range of it, the newest first. */
export async function pageBack(
  client: Client,
  roomId: string,
  range: { from?: string; to?: string } = {},
): Promise<PagedEvent[]> {
  const events: PagedEvent[] = [];
  let { from } = range;
  for (;;) {
    const query = new URLSearchParams({ dir: "b", limit: "100" });
    if (from !== undefined) query.set("from", from);
    if (range.to !== undefined) query.set("to", range.to);
    const place = `/rooms/${encodeURIComponent(roomId)}/messages?${query}`;
    const page = (await client.must("GET", place)) as {
      chunk: PagedEvent[];
      end?: string;
    };
    events.push(...page.chunk);
    if (page.end === undefined) return events;
    from = page.end;
  }
}
