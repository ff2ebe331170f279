import {
  findFreePort,
  metricsAt,
  readLoopDelay,
} from "../../bench/target/loop-delay.ts";
import { Client } from "./client.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { FaultServer } from "./server.ts";

/** Row 39 of the faults and abuse: no one request keeps the others waiting. */
export const bodies: ProofCase = {
  name: "bodies",
  unit: "of the largest bodies that an endpoint takes or refuses",
  fullUnits: 150,
  unitsPerRun: 150,
  run: runBodies,
};

const KIB = 1024;
const MOST_MS = 20;
/** The share runs beside other cases. */
const MOST_IN_SHARE_MS = 100;
/** What the machine kept the process from running is in a time, but not in each of so many. */
const TRIES = 5;
/** Between two looks at the event loop. */
const LOOK_MS = 10;
/** Members and elements that the reader takes. */
const MOST_KEYS = 29_000;

interface Body {
  name: string;
  method: string;
  place: string;
  text: string;
}

async function runBodies({ units, isFull }: RunOptions): Promise<Outcome> {
  const metricsPort = await findFreePort();
  const server = new FaultServer({
    processes: 1,
    environment: metricsAt(metricsPort),
  });
  const client = new Client(server);
  const late: string[] = [];
  const broken: string[] = [];
  let longest = 0;
  try {
    await server.start();
    await client.register("sender");
    const { room_id: roomId } = await client.must("POST", "/createRoom", {});
    const all = await listBodies(client, String(roomId));
    const most = isFull ? MOST_MS : MOST_IN_SHARE_MS;
    for (let i = 0; i < units; i += 1) {
      // A share takes some of each kind.
      const step = Math.max(1, Math.floor(all.length / units));
      const body = all[(i * step) % all.length]!;
      let least = Infinity;
      for (let n = 0; n < TRIES && least > most; n += 1) {
        await readLoopDelay(metricsPort);
        const status = await send(server.url, client, body);
        if (status >= 500) broken.push(`${body.name}: ${status}`);
        const ms = (await readLoopDelay(metricsPort)) - LOOK_MS;
        least = Math.min(least, ms);
      }
      longest = Math.max(longest, least);
      if (least > most) late.push(`${body.name}: ${Math.round(least)} ms`);
    }
    return {
      counts: { bodies: units, "longest ms of the loop": Math.round(longest) },
      claims: {
        "none blocked the event loop for longer than 20 ms": tell(late),
        "none was answered 5xx": tell(broken),
      },
    };
  } finally {
    client.close();
    await server.remove();
  }
}

async function send(
  url: string,
  { token = "" }: Client,
  { method, place, text }: Body,
): Promise<number> {
  const answer = await fetch(`${url}/_matrix/client${place}`, {
    method,
    body: text,
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** What costs a reader most for its bytes. */
const SHAPES: Readonly<Record<string, (bytes: number) => string>> = {
  "many keys": (bytes) =>
    `{${repeat(bytes, (i) => `"${i.toString(36)}":0,`, MOST_KEYS)}"":0}`,
  "many objects": (bytes) =>
    `{"a":[${repeat(bytes, () => "{},", MOST_KEYS)}{}]}`,
  "many lists of lists": (bytes) =>
    `{"a":[${repeat(bytes, () => `${"[".repeat(90)}${"]".repeat(90)},`, MOST_KEYS / 91)}0]}`,
  "many numbers": (bytes) =>
    `{"a":[${repeat(bytes, () => "1.5e-7,", MOST_KEYS)}0]}`,
  "one text": (bytes) => `{"a":"${"x".repeat(bytes - 20)}"}`,
  "one text of escapes": (bytes) =>
    `{"a":"${repeat(bytes - 20, () => "\\ud83d\\ude00", Infinity)}"}`,
  "more keys than there may be": (bytes) =>
    `{${repeat(bytes, (i) => `"${i.toString(36)}":0,`, Infinity)}"":0}`,
  "half a body": (bytes) => `{"a":[${"0,".repeat(bytes / 2 - 10)}`,
};

function repeat(
  bytes: number,
  part: (i: number) => string,
  most: number,
): string {
  const parts: string[] = [];
  for (let i = 0, size = 20; i < most; i += 1) {
    const next = part(i);
    size += next.length;
    if (size > bytes) break;
    parts.push(next);
  }
  return parts.join("");
}

const upTo = <T>(count: number, make: (i: number) => [string, T]) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => make(i)));

async function listBodies(client: Client, roomId: string): Promise<Body[]> {
  const { userId, deviceId } = client;
  const { version } = await client.must("POST", "/room_keys/version", {
    algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
    auth_data: { public_key: "k" },
  });
  const user = encodeURIComponent(userId);
  const room = encodeURIComponent(roomId);
  const backup = `/v3/room_keys/keys?version=${String(version)}`;
  const targets: readonly (readonly [string, string, number])[] = [
    ["PUT", "/v3/sendToDevice/m.x/1", 4 * KIB * KIB],
    ["PUT", backup, 4 * KIB * KIB],
    ["POST", "/v3/keys/upload", 512 * KIB],
    ["POST", "/v3/keys/query", 512 * KIB],
    ["POST", "/v3/keys/signatures/upload", 512 * KIB],
    ["PUT", `/v3/user/${user}/account_data/m.x`, 128 * KIB],
    ["PUT", `/v3/rooms/${room}/send/m.x/1`, 128 * KIB],
    ["POST", `/v3/user/${user}/filter`, 128 * KIB],
    ["POST", "/v3/createRoom", 128 * KIB],
    ["POST", "/v3/search", 128 * KIB],
    ["POST", "/unstable/org.matrix.simplified_msc3575/sync", 256 * KIB],
  ];
  const odd = targets.flatMap(([method, place, bytes]) =>
    Object.entries(SHAPES).map(([name, make]) => ({
      name: `${method} ${place}, ${name}`,
      method,
      place,
      text: make(bytes),
    })),
  );
  const signed = { key: "k".repeat(43), signatures: { [userId]: {} } };
  const session = {
    first_message_index: 0,
    forwarded_count: 0,
    is_verified: false,
    session_data: { ciphertext: "c".repeat(100) },
  };
  const whole: readonly (readonly [string, string, object])[] = [
    [
      "PUT",
      "/v3/sendToDevice/m.x/2",
      { messages: { [userId]: upTo(20_000, (i) => [`D${i}`, {}]) } },
    ],
    [
      "PUT",
      "/v3/sendToDevice/m.x/3",
      { messages: { [userId]: { [deviceId]: { a: "x".repeat(60_000) } } } },
    ],
    [
      "POST",
      "/v3/keys/query",
      { device_keys: upTo(14_000, (i) => [`@u${i}:localhost`, []]) },
    ],
    [
      "POST",
      "/v3/keys/claim",
      {
        one_time_keys: upTo(5_000, (i) => [
          `@u${i}:localhost`,
          { D: "signed_curve25519" },
        ]),
      },
    ],
    [
      "POST",
      "/v3/keys/upload",
      {
        one_time_keys: upTo(3_500, (i) => [`signed_curve25519:K${i}`, signed]),
      },
    ],
    [
      "POST",
      "/v3/keys/signatures/upload",
      {
        [userId]: upTo(3_000, (i) => [
          `D${i}`,
          { user_id: userId, device_id: `D${i}`, signatures: { [userId]: {} } },
        ]),
      },
    ],
    [
      "PUT",
      backup,
      {
        rooms: {
          [roomId]: { sessions: upTo(4_000, (i) => [`s${i}`, session]) },
        },
      },
    ],
    [
      "POST",
      "/v3/createRoom",
      {
        initial_state: Array.from({ length: 1_500 }, (_, i) => ({
          type: "m.x",
          state_key: `${i}`,
          content: {},
        })),
      },
    ],
    [
      "POST",
      "/v3/createRoom",
      { invite: Array.from({ length: 5_000 }, (_, i) => `@u${i}:localhost`) },
    ],
    [
      "POST",
      "/v3/delete_devices",
      { devices: Array.from({ length: 12_000 }, (_, i) => `D${i}`) },
    ],
  ];
  return [
    ...odd,
    ...whole.map(([method, place, body], i) => ({
      name: `${method} ${place}, in its own form (${i})`,
      method,
      place,
      text: JSON.stringify(body),
    })),
  ];
}
