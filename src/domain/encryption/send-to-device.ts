import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listInboxes, type DeviceName } from "../../storage/to-device.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import { transactionOf } from "../idempotency.ts";
import { isCallEvent } from "../../core/policy/call-events.ts";
import {
  areUnlimited,
  assertAllowed,
  type PolicyEdges,
} from "../policies/enforce.ts";
import { toDeviceContext } from "./to-device-context.ts";
import { divideUsers } from "./unreachable.ts";

export interface ToDeviceRequest {
  type: string;
  txnId: string;
  /** Contents by device, by user; `*` for every device. */
  messages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
}

type Needs = PolicyEdges & Pick<Edges, "committer" | "log" | "settings">;

const MAX_CONTENT_BYTES = 65_536;
const MOST_BYTES = 100 * 1024 * 1024;
const MOST_WAITING = {
  messages: 10_000,
  bytes: MOST_BYTES,
  // What seals a message adds some bytes to it.
  fewest: Math.floor(MOST_BYTES / (2 * MAX_CONTENT_BYTES)),
};
const MAX_ATTEMPTS = 3;

/**
 * Puts messages into devices' inboxes, once for each transaction. Unknown devices
 * get nothing. A device that has not fetched its messages for too long gets no
 * more: one such device never stops what others are sent, but whoever writes to
 * full inboxes alone is told.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
 */
export async function sendToDevice(
  edges: Needs,
  requester: Requester,
  request: ToDeviceRequest,
): Promise<void> {
  const { type, txnId, messages } = request;
  if (isCallEvent(type) && !areUnlimited(edges))
    await assertAllowed(edges, requester.userId, "call", { eventType: type });
  const endpoint = `sendToDevice/${type}`;
  const { key } = transactionOf(requester, endpoint, "", txnId);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const toDevice = await addressed(edges, requester.userId, type, messages);
    const outcome = await edges.committer.commit({
      positions: 1,
      idempotency: [{ key, answer: "{}" }],
      rows: { toDevice },
      wake: { users: toDevice.map(({ userId }) => userId) },
    });
    if (outcome.status !== "conflict") return;
    edges.keyring.forget(toDevice.map(({ keyId }) => keyId));
  }
  throw new MatrixError("M_UNKNOWN", "The messages could not be sent.");
}

/** A row for each device that is there and has room. */
async function addressed(
  edges: Needs,
  sender: string,
  type: string,
  messages: ToDeviceRequest["messages"],
): Promise<WriteRows["toDevice"]> {
  const { local } = divideUsers(edges.settings, Object.keys(messages));
  const inboxes = await listInboxes(edges.db, local, MOST_WAITING);
  const texts = new Map<JsonObject, string>();
  const textOf = (content: JsonObject): string => {
    let text = texts.get(content);
    if (text === undefined) {
      text = JSON.stringify({ type, sender, content });
      if (Buffer.byteLength(text) > MAX_CONTENT_BYTES) {
        throw new MatrixError("M_TOO_LARGE", "A message is too large.");
      }
      texts.set(content, text);
    }
    return text;
  };
  const wanted = inboxes.flatMap(({ userId, deviceId, isFull }) => {
    const content = contentFor(messages[userId] ?? {}, deviceId);
    return content ? [{ userId, deviceId, isFull, text: textOf(content) }] : [];
  });
  const open = wanted.filter(({ isFull }) => !isFull);
  if (open.length < wanted.length) refuse(edges, wanted, open.length === 0);
  return Promise.all(
    open.map(async ({ userId, deviceId, text }) => {
      const context = toDeviceContext(userId, deviceId);
      const sealed = await edges.keyring.sealForUser(userId, context, text);
      return { at: 0, ordinal: 0, userId, deviceId, ...sealed };
    }),
  );
}

function contentFor(
  byDevice: Readonly<Record<string, JsonObject>>,
  deviceId: string,
): JsonObject | undefined {
  if (Object.hasOwn(byDevice, deviceId)) return byDevice[deviceId];
  return Object.hasOwn(byDevice, "*") ? byDevice["*"] : undefined;
}

function refuse(
  { log }: Needs,
  wanted: readonly (DeviceName & { isFull: boolean })[],
  isForNobody: boolean,
): void {
  if (isForNobody) {
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      "Too many messages wait for these devices already.",
      { retry_after_ms: 60_000 },
    );
  }
  const full = wanted
    .filter(({ isFull }) => isFull)
    .map(({ userId, deviceId }) => `${userId} ${deviceId}`);
  log.warn({ devices: full }, "Devices with full inboxes got no message.");
}
