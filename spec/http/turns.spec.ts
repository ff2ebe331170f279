import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { endpoint } from "../../src/http/endpoint.ts";
import { useApp } from "./use-app.ts";

/** Who is in a handler, until all may leave. */
const held = new EventEmitter().setMaxListeners(0);
const inside: string[] = [];

const hold = async (
  _edges: unknown,
  { requester }: { requester: { userId: string } },
) => {
  inside.push(requester.userId);
  held.emit("entered");
  await once(held, "let go");
  return {};
};

const endpoints = [
  endpoint({ method: "get", path: "/held", auth: "user", handle: hold }),
  endpoint({
    method: "get",
    path: "/poll",
    auth: "user",
    longPoll: true,
    handle: hold,
  }),
  endpoint({
    method: "get",
    path: "/own",
    auth: "user",
    ownTurns: "own",
    handle: hold,
  }),
  endpoint({
    method: "get",
    path: "/free",
    auth: "user",
    handle: async () => ({}),
  }),
];

describe("turns", () => {
  const app = useApp({ endpoints });
  const as = (name: string, path: string) =>
    app.ask("GET", path, {
      headers: { authorization: `Bearer token-of-${name}` },
    });
  const entered = async (count: number) => {
    while (inside.length < count) await once(held, "entered");
  };

  afterEach(() => (inside.length = 0));

  it("row 52: who asks for much at once waits for their own turn, and others do not", async () => {
    const asked = Array.from({ length: 40 }, () => as("alice", "/held"));
    await entered(4);
    // Polls have turns of their own, and so has everybody else.
    const poll = as("alice", "/poll");
    await entered(5);
    expect((await as("admin", "/free")).status).to.equal(200);
    expect(inside).to.have.length(5);
    const late = as("alice", "/free");
    const timer = setInterval(() => held.emit("let go"), 5);
    const answers = await Promise.all([...asked, poll, late]);
    clearInterval(timer);
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(
      new Set([200]),
    );
    expect(inside).to.have.length(41);
  });

  it("row 52: what has turns of its own holds up nothing else, and is held up by itself", async () => {
    const asked = Array.from({ length: 20 }, () => as("alice", "/own"));
    await entered(16);
    expect((await as("alice", "/free")).status).to.equal(200);
    expect(inside).to.have.length(16);
    const timer = setInterval(() => held.emit("let go"), 5);
    await Promise.all(asked);
    clearInterval(timer);
  });

  it("row 52: refuses what would wait behind two thousand of its own", async () => {
    const asked = Array.from({ length: 2_005 }, () => as("alice", "/held"));
    const refused = await Promise.race(asked);
    expect(refused.status).to.equal(429);
    expect(refused.json).to.include({ errcode: "M_LIMIT_EXCEEDED" });
    expect((await as("admin", "/free")).status).to.equal(200);
    const timer = setInterval(() => held.emit("let go"), 1);
    await Promise.all(asked);
    clearInterval(timer);
  }).timeout(60_000);

  it("row 52: does nothing for who has gone while waiting", async () => {
    const asked = Array.from({ length: 4 }, () => as("alice", "/held"));
    await entered(4);
    const gone = connect(app.port(), "127.0.0.1");
    gone.end(
      "GET /held HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-alice\r\n\r\n",
    );
    gone.resume();
    await once(gone, "close");
    const last = as("alice", "/free");
    const timer = setInterval(() => held.emit("let go"), 1);
    await Promise.all([...asked, last]);
    clearInterval(timer);
    expect(inside).to.have.length(4);
  });
});
