// One device of matrix-js-sdk: asked by a line of JSON, it answers each by a line.
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import type { EventType, MatrixEvent, TimelineEvents } from "matrix-js-sdk";
import type { Account, Command, Commands, Opened } from "./device-program.ts";
import { loadSdk } from "./sdk.ts";
import { SdkDevice } from "./sdk-device.ts";
import { isOpen } from "./talk.ts";

type RoomMessageEventContent = TimelineEvents[EventType.RoomMessage];

type Handlers = {
  [C in Command]?: (args: Commands[C][0]) => Promise<Commands[C][1]>;
};

/** Servers are away at times, and clients wait for seconds until they look again. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 200;
const PAGE = 100;

// Standard output is for the answers.
const silence = () => undefined;
Object.assign(globalThis.console, {
  ...{ trace: silence, debug: silence, log: silence },
  ...{ info: silence, warn: silence, error: silence },
});

// What the SDK starts beside what is asked may fail while a server is away.
process.on("unhandledRejection", () => undefined);

const sdk = await loadSdk();
let device: SdkDevice;
const opened = new Map<string, Opened>();
const closed = new Map<string, string>();
let late = 0;

/** Asks again until it is answered; what the server refuses is thrown. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const { httpStatus = 0 } = error as { httpStatus?: number };
      const isRefused = httpStatus >= 400 && httpStatus < 500;
      if (isRefused || performance.now() > end) throw error;
      await pause(PAUSE_MS);
    }
  }
}

async function begin(
  coming: () => Promise<SdkDevice>,
  slides: boolean,
): Promise<{ user_id: string; device_id: string }> {
  device = await insist(coming);
  await goOnline(slides);
  return { user_id: device.userId, device_id: device.deviceId };
}

async function goOnline(slides?: boolean): Promise<null> {
  const patienceMs = PATIENCE_MS;
  await device.goOnline({
    ...(slides !== undefined && { slides }),
    patienceMs,
  });
  const { client } = device;
  client.on(sdk.MatrixEventEvent.Decrypted, sort);
  client.on(sdk.RoomEvent.LocalEchoUpdated, sort);
  client.on(sdk.RoomEvent.Timeline, (event) => {
    // By sliding sync the SDK decrypts what a room list shows.
    void client.decryptEventIfNeeded(event).then(() => sort(event));
  });
  return null;
}

/** Into those that are opened, or not. */
function sort(event: MatrixEvent): void {
  const id = event.getId()!;
  if (id.startsWith("~") || event.isState()) return;
  if (event.isDecryptionFailure()) {
    closed.set(id, String(event.decryptionFailureReason));
  } else if (isOpen(event)) {
    if (closed.delete(id)) late += 1;
    opened.set(id, describe(event));
  }
}

const describe = (event: MatrixEvent): Opened => ({
  event_id: event.getId()!,
  sender: event.getSender()!,
  type: event.getType(),
  content: event.getContent(),
});

const account = ({ url, name, password }: Account) =>
  [sdk, url, name, password] as const;

/** All events of a room, the oldest first, opened anew with the keys that are there now. */
async function readAll(roomId: string): Promise<MatrixEvent[]> {
  const { client } = device;
  const events: MatrixEvent[] = [];
  const readPage = async (from: string | null) => {
    const backward = sdk.Direction.Backward;
    return client.createMessagesRequest(roomId, from, PAGE, backward);
  };
  let page = await readPage(null);
  for (;;) {
    for (const raw of page.chunk) {
      const event = new sdk.MatrixEvent(raw);
      await client.decryptEventIfNeeded(event);
      events.unshift(event);
    }
    if (page.end === undefined) return events;
    page = await readPage(page.end);
  }
}

const handlers: Handlers = {
  register: (args) => begin(() => SdkDevice.register(...account(args)), false),

  log_in: ({ slides = false, ...args }) =>
    begin(() => SdkDevice.logInAs(...account(args)), slides),

  async leave() {
    await device.goOffline();
    return null;
  },

  come_back: () => goOnline(),

  create_room: ({ invite, encryption }) =>
    insist(async () => {
      const made = await device.client.createRoom({
        invite,
        initial_state: [
          { type: "m.room.encryption", state_key: "", content: encryption },
        ],
      });
      return made.room_id;
    }),

  async join({ room_id }) {
    await device.waitForRoom(room_id, "invite", PATIENCE_MS);
    await insist(() => device.client.joinRoom(room_id));
    return null;
  },

  async meet({ room_id, user_ids }) {
    await device.waitForRoom(room_id, "join", PATIENCE_MS);
    await insist(() => device.room(room_id)!.loadMembersIfNeeded());
    for (const userId of user_ids)
      await device.meets(room_id, userId, PATIENCE_MS);
    return null;
  },

  async know({ devices }) {
    for (const [userId, ids] of Object.entries(devices))
      await insist(() => device.knowsDevices(userId, ids, PATIENCE_MS));
    return null;
  },

  /** Encrypts once, and sends the very same until it is acknowledged. */
  async send({ room_id, type, content, txn_id }) {
    const { client } = device;
    const room = device.room(room_id)!;
    const txnId = txn_id ?? client.makeTxnId();
    let sending = client.sendEvent(
      room_id,
      type as EventType.RoomMessage,
      content as RoomMessageEventContent,
      txnId,
    );
    const event = room.getEventForTxnId(txnId);
    for (;;) {
      try {
        return (await sending).event_id;
      } catch (error) {
        await pause(PAUSE_MS);
        // The sync may have told of it though the answer was lost.
        if (event?.status === null) return event.getId()!;
        if (event?.status !== sdk.EventStatus.NOT_SENT) throw error;
        sending = client.resendEvent(event, room);
      }
    }
  },

  hear: ({ event_id }) =>
    device.sees(event_id, () => opened.get(event_id), PATIENCE_MS),

  async miss({ event_id }) {
    await device.sees(event_id, () => closed.has(event_id), PATIENCE_MS);
    return null;
  },

  async read({ room_id }) {
    const events = await readAll(room_id);
    const isClosed = (event: MatrixEvent) => !isOpen(event);
    return {
      opened: events.filter(isOpen).map(describe),
      closed: Object.fromEntries(
        events
          .filter(isClosed)
          .map((event) => [
            event.getId()!,
            String(event.decryptionFailureReason),
          ]),
      ),
    };
  },

  async following() {
    const shown = device.wire.delivered;
    return { shown, late, closed: Object.fromEntries(closed) };
  },
};

async function answer(line: string): Promise<void> {
  const { id, command, args } = JSON.parse(line) as {
    id: number;
    command: Command;
    args: never;
  };
  const handler = handlers[command] ?? (() => Promise.reject(command));
  const told = await handler(args).then(
    (answer: unknown) => ({ id, answer }),
    (error: unknown) => ({
      id,
      error: error instanceof Error ? error.stack : String(error),
    }),
  );
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

for await (const line of createInterface({ input: process.stdin }))
  void answer(line);
process.exit(0);
