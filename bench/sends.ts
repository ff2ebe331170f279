import { Agent, request as httpRequest } from "node:http";
import { parseArgs } from "node:util";

/*
 * Sends in one room by 1, 16 and 64 senders, each waiting for its answer before the next:
 *   node build/bench/sends.js --target http://127.0.0.1:8008 --seconds 10
 * The server must register openly and have its rate limits off.
 */
const { values } = parseArgs({
  options: {
    target: { type: "string", default: "http://127.0.0.1:8008" },
    seconds: { type: "string", default: "10" },
  },
});
const target = new URL(values.target);
const seconds = Math.min(Number(values.seconds), 60);
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

function ask(
  method: string,
  path: string,
  body: object,
  token?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        agent,
        method,
        host: target.hostname,
        port: target.port,
        path: `/_matrix/client/v3${path}`,
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(text) as Answer["body"],
          });
        });
      },
    );
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

async function must(...asked: Parameters<typeof ask>): Promise<Answer["body"]> {
  const { status, body } = await ask(...asked);
  if (status !== 200) {
    throw new Error(`${asked[1]} answered ${status} ${JSON.stringify(body)}`);
  }
  return body;
}

const run = process.pid.toString(36);

async function register(name: string): Promise<string> {
  const answer = await must("POST", "/register", {
    username: `bench-${run}-${name}`,
    password: "a password for the bench",
    auth: { type: "m.login.dummy" },
  });
  return String(answer["access_token"]);
}

async function measure(senders: number): Promise<string> {
  const owner = await register(`owner${senders}`);
  const { room_id: id } = await must(
    "POST",
    "/createRoom",
    { preset: "public_chat" },
    owner,
  );
  const roomId = encodeURIComponent(String(id));
  const tokens: string[] = [];
  for (let i = 0; i < senders; i++) {
    const token = await register(`s${senders}-${i}`);
    await must("POST", `/rooms/${roomId}/join`, {}, token);
    tokens.push(token);
  }
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    tokens.map(async (token) => {
      for (let n = 0; performance.now() < end; n++) {
        const begun = performance.now();
        await must(
          "PUT",
          `/rooms/${roomId}/send/m.room.message/${n}`,
          { msgtype: "m.text", body: `message ${n}` },
          token,
        );
        times.push(performance.now() - begun);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
  const rate = (times.length / seconds).toFixed(0);
  return `${String(senders).padStart(3)} senders  ${rate.padStart(6)} sends/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`;
}

for (const senders of [1, 16, 64]) {
  process.stdout.write(`${await measure(senders)}\n`);
}
agent.destroy();
