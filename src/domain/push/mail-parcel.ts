import type { Edges } from "../../edges.ts";
import type { DueRow } from "../../storage/push-queue.ts";
import { composeMail } from "./compose-mail.ts";
import type { Parcel } from "./parcels.ts";

export interface MailedParcel {
  /** All up to here was mailed, or need not be. */
  position: number;
  /** How long the next mail waits; null where none went. */
  mailRestMs: number | null;
  /** When what is unread is old enough for a mail. */
  againInMs: number | null;
  isFailed: boolean;
}

const HOUR_MS = 60 * 60 * 1000;
const LONGEST_REST_MS = 24 * HOUR_MS;
/** Whoever was not mailed for so long is mailed as at first. */
const FRESH_MS = 12 * HOUR_MS;

/**
 * Mails what has been unread for long enough. Each mail that follows the one before
 * waits twice as long; what is read meanwhile is never mailed.
 */
export async function mailParcel(
  edges: Pick<Edges, "log" | "mailer" | "settings">,
  parcel: Parcel,
): Promise<MailedParcel> {
  const { log, mailer, settings } = edges;
  const { items, pusher } = parcel;
  const first = items.findIndex(({ event }) => event !== undefined);
  const oldest = items[first];
  const mailed: MailedParcel = {
    position: items.at(-1)!.row.position,
    mailRestMs: null,
    againInMs: null,
    isFailed: false,
  };
  const { mail } = settings;
  if (!mailer || !mail || !oldest) return mailed;
  const before = items[first - 1]?.row.position ?? 0;
  const againInMs = waitOf(oldest.row, mail.delayMs);
  if (againInMs > 0) return { ...mailed, position: before, againInMs };
  try {
    await mailer.send(composeMail(settings, parcel));
  } catch (error) {
    log.warn({ err: error }, "A mail could not be sent.");
    return { ...mailed, position: before, isFailed: true };
  }
  return { ...mailed, mailRestMs: restOf(pusher, mail.delayMs) };
}

function waitOf(oldest: DueRow, delayMs: number): number {
  const { ageMs, mailedMs, mailRestMs } = oldest;
  const rest = mailedMs === null ? 0 : mailRestMs - mailedMs;
  return Math.ceil(Math.max(delayMs - ageMs, rest));
}

function restOf({ mailedMs, mailRestMs }: DueRow, delayMs: number): number {
  if (mailedMs === null || mailedMs > mailRestMs + FRESH_MS) return delayMs;
  return Math.min(LONGEST_REST_MS, Math.max(delayMs, 2 * mailRestMs));
}
