import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import { endUrlFetch, takeUrlFetch } from "../../storage/url-previews.ts";
import { slot } from "../../util/process-memory.ts";
import { Turns } from "../../util/turns.ts";
import { findKept, type KeptPreview } from "./kept-previews.ts";

/** Longer than any fetch; after it the page of a process that died is fetched by another. */
const LEASE_MS = 20_000;
const POLL_MS = 200;
const AT_ONCE = 16;
const MOST_WAITING = 100;

/** What this process fetches just now, by the hash of its address. */
const fetching = slot(() => ({
  turns: new Turns(AT_ONCE),
  byUrl: new Map<string, Promise<KeptPreview>>(),
}));

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** All who ask for one page at the same time, of any process, share one fetch. */
export function fetchOnce(
  edges: Needs,
  urlHash: Buffer,
  begin: () => Promise<KeptPreview>,
): Promise<KeptPreview> {
  const { turns, byUrl } = edges.memory.of(fetching);
  const key = urlHash.toString("base64");
  const running = byUrl.get(key);
  if (running) return running;
  if (turns.waiting("") >= MOST_WAITING) {
    throw new MatrixError("M_LIMIT_EXCEEDED", "Too many previews at once.", {
      retry_after_ms: 1000,
    });
  }
  const begun = turns
    .run("", () => fetchAlone(edges, urlHash, begin))
    .finally(() => byUrl.delete(key));
  byUrl.set(key, begun);
  return begun;
}

/** Fetches unless another process does, and then waits for what comes of it. */
async function fetchAlone(
  edges: Needs,
  urlHash: Buffer,
  begin: () => Promise<KeptPreview>,
): Promise<KeptPreview> {
  const holder = randomUUID();
  const kept = () => findKept(edges, urlHash, edges.now());
  for (const latest = edges.now() + LEASE_MS; edges.now() <= latest;) {
    if (await takeUrlFetch(edges.db, urlHash, holder, LEASE_MS)) {
      try {
        return (await kept()) ?? (await begin());
      } finally {
        await endUrlFetch(edges.db, urlHash, holder);
      }
    }
    await wait(POLL_MS);
    const found = await kept();
    if (found) return found;
  }
  return { preview: undefined };
}
