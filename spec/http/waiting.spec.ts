import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import type { UserId } from "../../src/core/ids.ts";
import { endpoint } from "../../src/http/endpoint.ts";
import { until } from "../support/until.ts";
import { useApp } from "./use-app.ts";

const POLLS = 500;
/** It takes some 4 kB: half of them are Node's request and response. */
const MOST_BYTES = 6_500;

let waiting = 0;
let gone = 0;

const poll = endpoint({
  method: "get",
  path: "/poll",
  auth: "user",
  longPoll: true,
  handle: (_edges, { request: { caller } }) =>
    new Promise((resolve) => {
      waiting += 1;
      caller.waiting = {
        leave() {
          gone += 1;
          resolve({});
        },
      };
    }),
});

const ask = endpoint({
  method: "get",
  path: "/ask",
  auth: "user",
  handle: async () => ({}),
});

describe("a poll that waits", () => {
  const app = useApp({
    endpoints: [poll, ask],
    authenticate: async (token) => ({
      userId: "@alice:test" as UserId,
      deviceId: token,
      tokenId: 1,
      isGuest: false,
      isSuspended: false,
      isLocked: false,
    }),
  });

  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const bytesAlive = () => {
    // What the finalizers of one let go, the next one takes.
    for (let i = 0; i < 3; i += 1) collect();
    return process.memoryUsage().heapUsed;
  };

  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  const write = (path: string) => {
    sockets.forEach((socket, i) => {
      const query = `since=s1_1_${i}_${i}_0_1_4021339&timeout=30000`;
      socket.write(
        `GET ${path}?${query} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer device-${i}\r\nUser-Agent: a client\r\n\r\n`,
      );
    });
  };

  it("holds little more than what Node holds of a request, and lets that go with its client", async () => {
    for (let i = 0; i < POLLS; i += 1)
      sockets.push(connect(app.port(), "127.0.0.1"));
    const answered = sockets.map((socket) => once(socket, "data"));
    write("/ask");
    await Promise.all(answered);
    const resting = bytesAlive();
    write("/poll");
    await until(async () => (await turn(true)) && waiting === POLLS);
    expect((bytesAlive() - resting) / POLLS).to.be.below(MOST_BYTES);
    for (const socket of sockets) socket.destroy();
    await until(async () => (await turn(true)) && gone === POLLS);
    expect(bytesAlive()).to.be.below(resting);
  });
});
