import type { Edges } from "../../edges.ts";
import { addDownloads } from "../../storage/alerts.ts";
import { slot } from "../../util/process-memory.ts";

/** Of a user, since the process wrote down what was counted. */
interface Fetched {
  userId: string;
  span: number;
  files: Set<string>;
  bytes: number;
}

const counted = slot(() => new Map<string, Fetched>());

const MOST_USERS = 100_000;
const MOST_FILES = 10_000;

/**
 * Counts, in memory alone, that somebody fetches a file. One that is fetched in parts counts
 * once for as long as nothing was written down.
 */
export function countDownload(
  {
    memory,
    now,
    settings: { alerts },
  }: Pick<Edges, "memory" | "now" | "settings">,
  userId: string,
  { mediaId, size }: { mediaId: string; size: number },
): void {
  if (!alerts) return;
  const { spanMs } = alerts.downloads;
  const span = Math.floor(now() / spanMs) * spanMs;
  const counts = memory.of(counted);
  const key = `${span} ${userId}`;
  let fetched = counts.get(key);
  if (fetched === undefined) {
    if (counts.size >= MOST_USERS) return;
    counts.set(key, (fetched = { userId, span, files: new Set(), bytes: 0 }));
  }
  if (fetched.files.has(mediaId) || fetched.files.size >= MOST_FILES) return;
  fetched.files.add(mediaId);
  fetched.bytes += size;
}

/** Writes down what was counted, in one statement for all. */
export async function writeDownloads({
  db,
  memory,
}: Pick<Edges, "db" | "memory">): Promise<void> {
  const counts = memory.of(counted);
  const all = [...counts.values()];
  counts.clear();
  await addDownloads(
    db,
    all.map(({ userId, span, files, bytes }) => ({
      ...{ userId, span, bytes },
      files: files.size,
    })),
  );
}
