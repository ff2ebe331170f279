import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import type { JsonObject } from "../../core/json.ts";
import type { DelayedEventRow } from "../../storage/delayed-events.ts";
import { unescapeText } from "../../storage/json-text.ts";

/** An event that is to be sent later, opened. */
export interface DelayedEvent {
  delayId: string;
  key: Uint8Array;
  userId: string;
  roomId: string;
  type: string;
  stateKey: string | null;
  content: JsonObject;
  /** Why it could not be sent. */
  error: JsonObject | null;
}

/** What is sealed of it. */
interface Secret {
  delay_id: string;
  content: JsonObject;
}

/**
 * What a delay id is known by. The transaction that sends the event has this key
 * too, so it is sent once, and never after whoever cancelled it took the key.
 */
export const delayKeyOf = (delayId: string): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["delayed event", delayId]))
    .digest()
    .subarray(0, 16);

export const delayContext = (userId: string, key: Uint8Array): string =>
  `delayed_events.sealed ${userId} ${Buffer.from(key).toString("base64")}`;

export const delaySecret = (delay_id: string, content: JsonObject): string =>
  JSON.stringify({ delay_id, content } satisfies Secret);

/** Those whose keys were destroyed are left out. */
export async function openDelayedEvents<Row extends DelayedEventRow>(
  { keyring }: Pick<Edges, "keyring">,
  rows: readonly Row[],
): Promise<{ row: Row; event: DelayedEvent }[]> {
  const texts = await keyring.openAll(
    rows.map(({ userId, delayKey, keyId, sealed }) => ({
      context: delayContext(userId, delayKey),
      keyId,
      sealed,
    })),
  );
  return rows.flatMap((row, i) => {
    const text = texts[i];
    if (text === undefined) return [];
    const { delay_id: delayId, content } = JSON.parse(text) as Secret;
    const { delayKey: key, userId, roomId, stateKey } = row;
    const type = unescapeText(row.type);
    const place = stateKey === null ? null : unescapeText(stateKey);
    const error =
      row.error === null ? null : (JSON.parse(row.error) as JsonObject);
    const event = { delayId, key, userId, roomId, type, content, error };
    return [{ row, event: { ...event, stateKey: place } }];
  });
}
