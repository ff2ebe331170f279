interface TimelineEvent {
  event_id: string;
}

interface SyncAnswer {
  next_batch: string;
  rooms?: {
    join?: Record<string, { timeline?: { events?: TimelineEvent[] } }>;
  };
}

/** Watches what the server answers to one client's syncs; `fetch` is given to the client. */
export class Wire {
  /**
   * Event ids of joined rooms' timelines in the order of their arrival, repeats included:
   * of answers after which the client has gone on.
   */
  readonly delivered: string[] = [];
  #last: { token: string; ids: string[] } | undefined;

  readonly fetch: typeof fetch = async (input, init) => {
    const url = urlOf(input);
    const isSync = /\/sync(\?|$)/.test(url);
    if (isSync) this.#confirm(new URL(url).searchParams.get("since"));
    const response = await fetch(input, init);
    if (isSync && response.ok)
      this.#take((await response.clone().json()) as SyncAnswer);
    return response;
  };

  /** Event ids that came more than once. */
  get repeated(): string[] {
    const seen = new Set<string>();
    return this.delivered.filter((id) => seen.has(id) || !seen.add(id));
  }

  #take({ next_batch: token, rooms }: SyncAnswer): void {
    const ids = Object.values(rooms?.join ?? {}).flatMap(
      ({ timeline }) => timeline?.events?.map((event) => event.event_id) ?? [],
    );
    this.#last = { token, ids };
  }

  /** Whoever is cut off, or stops, asks the same again and is told it again. */
  #confirm(since: string | null): void {
    if (this.#last && this.#last.token === since)
      this.delivered.push(...this.#last.ids);
    this.#last = undefined;
  }
}

function urlOf(input: string | URL | Request): string {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
}
