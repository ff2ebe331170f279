import { MatrixError } from "./errors.ts";
import type { Pdu } from "./event.ts";

/** Of the canonical JSON of the event with its signatures. */
export const MAX_EVENT_BYTES = 65_536;
export const MAX_ID_BYTES = 255;

export const isWithinBytes = (text: string, maxBytes: number): boolean =>
  text.length * 3 <= maxBytes ||
  (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes);

const LIMITED_KEYS = [
  "event_id",
  "room_id",
  "sender",
  "state_key",
  "type",
] as const;

/** The first of the keys with a limit of their own that is too long. */
export const findOversizeKey = (
  event: Pick<Pdu, (typeof LIMITED_KEYS)[number]>,
): string | undefined =>
  LIMITED_KEYS.find((key) => !isWithinBytes(event[key] ?? "", MAX_ID_BYTES));

/** @throws MatrixError M_TOO_LARGE */
export function assertEventSize(
  event: Pick<Pdu, (typeof LIMITED_KEYS)[number]>,
  bytes: number,
): void {
  if (bytes > MAX_EVENT_BYTES) {
    throw new MatrixError(
      "M_TOO_LARGE",
      "The event is larger than 65536 bytes.",
    );
  }
  const key = findOversizeKey(event);
  if (key !== undefined) {
    throw new MatrixError("M_TOO_LARGE", `${key} is longer than 255 bytes.`);
  }
}
