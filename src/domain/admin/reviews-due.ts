import type { Edges } from "../../edges.ts";
import {
  countOpenAlerts,
  findTsAfter,
  listReviewedSpans,
} from "../../storage/alerts.ts";
import { findAuditHead, findFirstSeq } from "../../storage/audit-log.ts";
import { findPrunedTo } from "../../storage/audit-prunings.ts";

/** Of the last years, where one is signed each week. */
const MOST_REVIEWS = 10_000;

/** What of the audit log nobody has signed yet that they reviewed it. */
export interface ReviewsDue {
  isDue: boolean;
  /** When it is due; null where there is nothing to review. */
  dueTs: number | null;
  fromSeq: number | null;
  toSeq: number | null;
  lastReview: { seq: number; ts: number; toSeq: number } | null;
  openAlerts: number;
}

/**
 * The log up to its end, from where reviews leave off that follow each other without a gap:
 * what was skipped is due.
 */
export async function readReviewsDue({
  db,
  now,
  settings,
}: Pick<Edges, "db" | "now" | "settings">): Promise<ReviewsDue> {
  const reviews = await listReviewedSpans(db, MOST_REVIEWS);
  // What is no longer kept is due no more, also while it waits to be deleted.
  const firstSeq = (await findFirstSeq(db)) ?? 1;
  let upTo = Math.max(firstSeq - 1, await findPrunedTo(db));
  for (const { fromSeq, toSeq } of reviews.toSorted(byStart))
    if (fromSeq <= upTo + 1) upTo = Math.max(upTo, toSeq);
  const [last] = reviews;
  const head = await findAuditHead(db);
  const sinceTs = await findTsAfter(db, upTo);
  const dueTs = sinceTs === undefined ? null : sinceTs + settings.auditReviewMs;
  return {
    isDue: dueTs !== null && dueTs <= now(),
    dueTs,
    fromSeq: sinceTs === undefined ? null : upTo + 1,
    toSeq: sinceTs === undefined ? null : (head?.seq ?? null),
    lastReview: last ? { seq: last.seq, ts: last.ts, toSeq: last.toSeq } : null,
    openAlerts: await countOpenAlerts(db),
  };
}

const byStart = (a: { fromSeq: number }, b: { fromSeq: number }): number =>
  a.fromSeq - b.fromSeq;
