interface TimelineEvent {
  event_id: string;
}

interface SyncAnswer {
  rooms?: {
    join?: Record<string, { timeline?: { events?: TimelineEvent[] } }>;
  };
}

/** Watches what the server answers to one client's syncs; `fetch` is given to the client. */
export class Wire {
  /** Event ids of joined rooms' timelines in the order of their arrival, repeats included. */
  readonly delivered: string[] = [];

  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (/\/sync(\?|$)/.test(urlOf(input)) && response.ok) {
      const answer = (await response.clone().json()) as SyncAnswer;
      for (const room of Object.values(answer.rooms?.join ?? {}))
        for (const { event_id } of room.timeline?.events ?? [])
          this.delivered.push(event_id);
    }
    return response;
  };

  /** Event ids that came more than once. */
  get repeated(): string[] {
    return this.delivered.filter((id, i) => this.delivered.indexOf(id) !== i);
  }
}

function urlOf(input: string | URL | Request): string {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
}
