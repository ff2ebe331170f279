// Devices that wait in long-polls: a process of its own, since each has thousands of connections.
import { connect } from "node:net";

/** What one holder does. */
export interface HolderOrder {
  port: number;
  devices: readonly { token: string; owner: number; since: string }[];
}

/** How its devices are. */
export interface HolderReport {
  /** Waiting for an answer at this moment. */
  waiting: number;
  /** By owner, how many devices were shown a message. */
  told: Record<number, number>;
  /** Answers without news: their time was over. */
  idle: number;
  /** Answers 503, after which a client asks again. */
  unavailable: number;
  /** Connections that ended, and other answers than these. */
  faults: string[];
}

type Device = HolderOrder["devices"][number];

/** New ones at the same time: more would wait in the listener's queue. */
const OPENED_AT_ONCE = 25;
const POLL_MS = 120_000;
const MOST_FAULTS = 20;
/** Each source address has some 28,000 ports of its own. */
const ADDRESSES = 16;

const AGAIN_MS = 1_000;

const report: HolderReport = {
  waiting: 0,
  told: {},
  idle: 0,
  unavailable: 0,
  faults: [],
};
let port = 0;

const fault = (text: string): void => {
  if (report.faults.length < MOST_FAULTS) report.faults.push(text);
};

const question = (token: string, since: string, timeoutMs: number): string =>
  [
    `GET /_matrix/client/v3/sync?set_presence=offline&timeout=${timeoutMs}&since=${since} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${token}`,
    "\r\n",
  ].join("\r\n");

/** Resolves when it waits; it asks again after each answer. */
function wait({ token, owner, since }: Device, number: number): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    let isWaiting = false;
    let reached = since;
    const localAddress = `127.0.1.${1 + (number % ADDRESSES)}`;
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    const poll = () => {
      report.waiting += 1;
      isWaiting = true;
      socket.write(question(token, reached, POLL_MS));
      resolve();
    };
    // What is answered is held by a process, and in no queue before it.
    socket.once("connect", () => socket.write(question(token, since, 0)));
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
      const body = wholeBody(text);
      if (body === undefined) return;
      const head = text.slice(0, 300);
      text = "";
      const hasWaited = isWaiting;
      if (hasWaited) report.waiting -= 1;
      isWaiting = false;
      if (head.startsWith("HTTP/1.1 503 ")) {
        report.unavailable += 1;
        setTimeout(poll, AGAIN_MS);
        return;
      }
      if (!head.startsWith("HTTP/1.1 200 ")) return fault(head);
      if (hasWaited) {
        if (body.includes('"m.room.message"'))
          report.told[owner] = (report.told[owner] ?? 0) + 1;
        else report.idle += 1;
      }
      reached = /"next_batch":"(\w+)"/.exec(body)?.[1] ?? reached;
      poll();
    });
    socket.on("error", (error) => fault(error.message));
    socket.on("close", () => {
      fault("a connection ended");
      if (isWaiting) report.waiting -= 1;
      resolve();
    });
  });
}

function wholeBody(text: string): string | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  const body = text.slice(end + 4);
  return Buffer.byteLength(body) < Number(length ?? 0) ? undefined : body;
}

async function hold({ port: at, devices }: HolderOrder): Promise<void> {
  port = at;
  let next = 0;
  const open = async () => {
    for (let i = next++; i < devices.length; i = next++)
      await wait(devices[i]!, i);
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, open));
}

process.on("message", (message: HolderOrder | "report") => {
  if (message === "report") process.send?.(report);
  else void hold(message);
});
process.once("disconnect", () => process.exit(0));
