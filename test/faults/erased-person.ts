import { setTimeout as pause } from "node:timers/promises";
import sharp from "sharp";
import type { Client } from "./client.ts";
import type { FaultServer } from "./server.ts";

export interface Said {
  status: number;
  text: string;
}

const MOST_TRIES = 5;

/** One request as it is, with what a client of the proof does not speak otherwise. */
export async function call(
  { url }: Pick<FaultServer, "url">,
  { token }: Pick<Client, "token">,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Said> {
  for (let tries = 1; ; tries += 1)
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          connection: "close",
        },
        ...(body !== undefined && { body }),
      });
      return { status: answer.status, text: await answer.text() };
    } catch (error) {
      // A busy machine breaks a connection now and then.
      if (tries === MOST_TRIES) throw error;
      await pause(200);
    }
}

export async function must(...asked: Parameters<typeof call>): Promise<Said> {
  const said = await call(...asked);
  if (said.status === 200) return said;
  throw new Error(`${asked[3]}: ${said.status} ${said.text}`);
}

/** A page that a busy machine was too slow to give is asked for again after a minute. */
const LONGEST_PAGE_MS = 150_000;

/** Has a page's preview kept here. */
export async function preview(
  server: FaultServer,
  client: Client,
  page: string,
): Promise<void> {
  const end = performance.now() + LONGEST_PAGE_MS;
  for (;;) {
    const path = previewPath(page);
    const { status, text } = await call(server, client, "GET", path);
    if (status === 200) return;
    if (performance.now() > end) throw new Error(`${path}: ${status} ${text}`);
    await pause(1000);
  }
}

const escape = encodeURIComponent;
let sent = 0;

export async function send(
  client: Client,
  roomId: string,
  content: object,
  type = "m.room.message",
): Promise<string> {
  sent += 1;
  const { event_id: eventId } = await client.must(
    "PUT",
    `/rooms/${escape(roomId)}/send/${type}/canary${sent}`,
    content,
  );
  return String(eventId);
}

export async function upload(
  server: FaultServer,
  client: Client,
  bytes: string | Uint8Array<ArrayBuffer>,
  name: string,
): Promise<string> {
  const path = `/_matrix/media/v3/upload?filename=${escape(name)}`;
  const { text } = await must(server, client, "POST", path, bytes);
  const { content_uri: uri } = JSON.parse(text) as { content_uri: string };
  return uri;
}

/** What a page says, and its picture, as a preview of it. */
export const previewPath = (page: string): string =>
  `/_matrix/client/v1/media/preview_url?url=${escape(page)}`;

/** A person who leaves the same words wherever this server keeps any. */
export interface Person {
  client: Client;
  canary: string;
  /** Said first, and shown by all that follow. */
  eventId: string;
  /** Paths at which it can be read, by the person. */
  own: string[];
}

/** Leaves words of a person in every place that this server keeps words in. */
export async function plant(
  server: FaultServer,
  client: Client,
  other: Client,
  place: { roomId: string; page: string; canary: string },
): Promise<Person> {
  const { roomId, page, canary } = place;
  const { userId, deviceId } = client;
  const room = escape(roomId);
  const user = escape(userId);
  await client.must("PUT", `/devices/${escape(deviceId)}`, {
    display_name: canary,
  });
  await client.must("PUT", `/profile/${user}/displayname`, {
    displayname: canary,
  });
  await client.must("POST", `/join/${room}`, {});
  const text = { msgtype: "m.text", body: canary };
  const eventId = await send(client, roomId, text);
  await send(client, roomId, {
    ...{ msgtype: "m.text", body: `* ${canary}`, "m.new_content": text },
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  });
  await send(client, roomId, {
    msgtype: "m.text",
    body: `> <${userId}> ${canary}\n\n${other.userId} ${canary}`,
    "m.mentions": { user_ids: [other.userId] },
    "m.relates_to": { "m.in_reply_to": { event_id: eventId } },
  });
  await send(
    client,
    roomId,
    {
      "m.relates_to": {
        ...{ rel_type: "m.annotation", event_id: eventId, key: canary },
      },
    },
    "m.reaction",
  );
  const picture = await upload(server, client, await pictureOf(64), canary);
  await client.must("PUT", `/profile/${user}/avatar_url`, {
    avatar_url: picture,
  });
  const file = await upload(server, client, canary, `${canary}.txt`);
  await send(client, roomId, { msgtype: "m.file", body: canary, url: file });
  const fileOf = (uri: string) => uri.slice("mxc://".length);
  const small = `/_matrix/client/v1/media/thumbnail/${fileOf(picture)}?width=32&height=32`;
  await must(server, client, "GET", small);
  await preview(server, client, page);
  await other.must("PUT", `/sendToDevice/m.canary/${escape(deviceId)}`, {
    messages: { [userId]: { [deviceId]: { canary } } },
  });
  const data = `/user/${user}/account_data/m.canary`;
  await client.must("PUT", data, { canary });
  const ofRoom = `/user/${user}/rooms/${room}/account_data/m.canary`;
  await client.must("PUT", ofRoom, { canary });
  await client.must("POST", `/user/${user}/filter`, {
    room: { timeline: { types: [canary] } },
  });
  await client.must("PUT", `/presence/${user}/status`, {
    ...{ presence: "online", status_msg: canary },
  });
  await client.must("POST", `/rooms/${room}/report/${escape(eventId)}`, {
    reason: canary,
  });
  const own = [
    ...["/devices", data, ofRoom, `/profile/${user}`],
    ...["/sync", `/presence/${user}/status`],
  ];
  return {
    ...{ client, canary, eventId },
    own: [
      ...own.map((each) => `/_matrix/client/v3${each}`),
      `/_matrix/client/v1/media/download/${fileOf(file)}`,
      previewPath(page),
    ],
  };
}

/** Where anybody in a room reads what was said there. */
export const sharedPaths = (roomId: string, eventId: string): string[] => {
  const room = `/_matrix/client/v3/rooms/${escape(roomId)}`;
  return [
    `${room}/messages?dir=b&limit=200`,
    `${room}/event/${escape(eventId)}`,
    `${room}/context/${escape(eventId)}?limit=50`,
    `${room}/members`,
    `/_matrix/client/v1/rooms/${escape(roomId)}/relations/${escape(eventId)}`,
    "/_matrix/client/v3/notifications?limit=100",
    "/_matrix/client/v3/sync",
  ];
};

/** Whether a word is found, and what with it. */
export const search = (
  server: FaultServer,
  client: Client,
  word: string,
): Promise<Said> =>
  call(
    server,
    client,
    "POST",
    "/_matrix/client/v3/search",
    JSON.stringify({
      search_categories: { room_events: { search_term: word } },
    }),
  );

/** How every picture of this form begins; no sealed file does. */
export const PICTURE = "PNG\r\n\x1a\n";

const pictureOf = async (size: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(
    await sharp({
      create: { width: size, height: size, channels: 3, background: "red" },
    })
      .png()
      .toBuffer(),
  );
