import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { endpoint } from "../../src/http/endpoint.ts";
import { reply } from "../../src/http/reply.ts";
import { failureOf } from "../support/collect.ts";
import { until } from "../support/until.ts";
import { useApp } from "./use-app.ts";

let open = 0;
let seen = 0;

async function* endless() {
  open += 1;
  try {
    for (;;) {
      seen += 1;
      yield Buffer.alloc(64 * 1024);
    }
  } finally {
    open -= 1;
  }
}

async function* broken(after: number) {
  for (let i = 0; i < after; i += 1) yield Buffer.alloc(10);
  throw new Error("the disk is gone");
}

const fileOf = (path: string, file: () => AsyncIterable<Uint8Array>) =>
  endpoint({
    method: "get",
    path,
    auth: "none",
    handle: async () =>
      reply({
        headers: { "Content-Type": "a/b", "Content-Length": "1000000000" },
        file,
      }),
  });

const count = endpoint({
  method: "post",
  path: "/count",
  auth: "none",
  rateLimit: "other",
  async handle(_edges, { request }) {
    let bytes = 0;
    for await (const chunk of request.content()) bytes += chunk.length;
    return { bytes };
  },
});

describe("streams", () => {
  const app = useApp({
    endpoints: [
      count,
      fileOf("/endless", endless),
      fileOf("/unreadable", () => broken(0)),
      fileOf("/breaks-off", () => broken(3)),
    ],
    bodyIdleMs: 300,
    checksAnswers: false,
  });

  it("of a request are read as they come", async () => {
    const body = Buffer.alloc(3_000_000);
    const { json } = await app.ask("POST", "/count", { body });
    expect(json).to.deep.equal({ bytes: 3_000_000 });
    const chunked = await app.raw(
      "POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    expect(chunked).to.match(/\{"bytes":3\}$/);
    const empty = await app.ask("POST", "/count");
    expect(empty.json).to.deep.equal({ bytes: 0 });
  });

  it("of a request that pause for too long are given up, and answered", async () => {
    const answer = await app.raw(
      "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc",
    );
    expect(answer).to.match(/^HTTP\/1\.1 408 /);
  });

  it("that cannot be read at all are an error with a status", async () => {
    const { json, status } = await app.ask("GET", "/unreadable");
    expect([status, json["errcode"]]).to.deep.equal([500, "M_UNKNOWN"]);
  });

  it("that break off are cut, so that nobody takes them for whole", async () => {
    const failure = await failureOf(app.ask("GET", "/breaks-off"));
    expect(failure).to.be.instanceOf(Error);
    expect(app.logged()).to.include("an answer broke off");
  });

  it("are read no faster than the client takes them, and let go when it is gone", async () => {
    const socket = connect(app.port(), "127.0.0.1");
    socket.write("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "readable");
    expect(open).to.equal(1);
    expect(seen).to.be.below(1000);
    socket.destroy();
    await until(async () => {
      await app.ask("POST", "/count");
      return open === 0;
    });
  });

  it("are not begun for who asks for the head alone", async () => {
    const before = seen;
    const { headers, status } = await app.ask("HEAD", "/endless");
    expect(status).to.equal(200);
    expect(headers["content-length"]).to.equal("1000000000");
    expect(seen).to.equal(before);
  });
});
