import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { endpoint } from "../../src/http/endpoint.ts";
import { createHealthRoutes } from "../../src/http/health.ts";
import { reply } from "../../src/http/reply.ts";
import { useApp } from "./use-app.ts";

const failure = (path: string, error: () => unknown): Endpoint =>
  endpoint({
    method: "get",
    path,
    auth: "none",
    statuses: { M_BAD_STATE: 409 },
    handle: () => Promise.reject(error() as Error),
  });

/** As the database's driver fails: an error with a code. */
const databaseError = (code: string): Error =>
  Object.assign(new Error("password authentication of canary-9"), { code });

/** Resolves when the handler of `/wait` is reached, then when its signal aborts. */
const waiting = new EventEmitter();

async function* pieces() {
  yield ",2";
  yield ',"é"]}';
}

/** Ends in the middle, as when the database goes away. */
async function* brokenPieces() {
  yield ",2";
  throw databaseError("57P01");
}

describe("createApp", () => {
  let isReady = true;
  const app = useApp({
    pages: [createHealthRoutes(async () => isReady)],
    endpoints: [
      endpoint({
        method: "get",
        path: "/open",
        auth: "none",
        handle: async () => ({ ok: true }),
      }),
      endpoint({
        method: "get",
        path: "/reply",
        auth: "none",
        handle: async () =>
          reply({
            status: 201,
            body: '{"raw":1}',
            headers: { "Cache-Control": "max-age=60" },
          }),
      }),
      endpoint({
        method: "get",
        path: "/pieces",
        auth: "none",
        handle: async () => reply({ body: '{"a":[1', rest: pieces() }),
      }),
      endpoint({
        method: "get",
        path: "/broken",
        auth: "none",
        handle: async () => reply({ body: '{"a":[1', rest: brokenPieces() }),
      }),
      endpoint({
        method: "get",
        path: "/list",
        auth: "none",
        handle: async () => [1, 2],
      }),
      failure(
        "/unknown",
        () => new Error("canary-1", { cause: new Error("canary-2") }),
      ),
      failure("/thrown-text", () => "canary-3"),
      endpoint({
        method: "get",
        path: "/wait",
        auth: "none",
        longPoll: true,
        handle: async (_edges, { request }) => {
          waiting.emit("reached");
          await once(request.signal, "abort");
          waiting.emit("aborted");
          return {};
        },
      }),
      failure("/known", () => new MatrixError("M_NOT_FOUND", "No such room.")),
      failure("/override", () => new MatrixError("M_BAD_STATE", "No.")),
      failure(
        "/limited",
        () =>
          new MatrixError("M_LIMIT_EXCEEDED", "Slow.", {
            retry_after_ms: 1500,
          }),
      ),
      failure("/down", () => databaseError("ECONNREFUSED")),
      failure(
        "/slow",
        () => new Error("wrapped", { cause: databaseError("57014") }),
      ),
      failure(
        "/prototype",
        () =>
          new MatrixError("M_FORBIDDEN", "No.", { errcode: "X", error: "Y" }),
      ),
    ],
  });

  it("sends CORS headers with every answer, errors and unknown paths too", async () => {
    for (const path of [
      "/open",
      "/unknown",
      "/known",
      "/nowhere",
      "/down",
      "/%zz",
      "/health/live",
    ]) {
      const { headers } = await app.ask("GET", path);
      expect(headers["access-control-allow-origin"], path).to.equal("*");
      expect(headers["access-control-allow-methods"], path).to.equal(
        "GET, POST, PUT, DELETE, OPTIONS",
      );
      expect(headers["access-control-allow-headers"], path).to.equal(
        "X-Requested-With, Content-Type, Authorization",
      );
      expect(headers["x-content-type-options"], path).to.equal("nosniff");
    }
  });

  it("answers a preflight for any path with 204 and runs nothing", async () => {
    for (const path of ["/open", "/unknown", "/nowhere"]) {
      const { status, text, headers } = await app.ask("OPTIONS", path);
      expect([status, text], path).to.deep.equal([204, ""]);
      expect(headers["access-control-allow-origin"], path).to.equal("*");
    }
    expect(app.logged()).not.to.include("canary");
  });

  it("row 16: blanks an unknown error and logs it with its cause", async () => {
    const { status, json, text } = await app.ask("GET", "/unknown");
    expect(status).to.equal(500);
    expect(json).to.deep.equal({
      errcode: "M_UNKNOWN",
      error: "Internal server error.",
    });
    expect(text).not.to.include("canary");
    expect(app.logged()).to.include("canary-1").and.to.include("canary-2");
    expect((await app.ask("GET", "/thrown-text")).status).to.equal(500);
  });

  it("maps an error code to its status by the table, or as the endpoint says", async () => {
    const known = await app.ask("GET", "/known");
    expect(known.status).to.equal(404);
    expect(known.json).to.deep.equal({
      errcode: "M_NOT_FOUND",
      error: "No such room.",
    });
    expect((await app.ask("GET", "/override")).status).to.equal(409);
  });

  it("lets no extra field replace the error code or message", async () => {
    const { json } = await app.ask("GET", "/prototype");
    expect(json).to.deep.equal({ errcode: "M_FORBIDDEN", error: "No." });
  });

  it("tells when to come back in a header, rounded up to seconds", async () => {
    const { status, headers, json } = await app.ask("GET", "/limited");
    expect(status).to.equal(429);
    expect(headers["retry-after"]).to.equal("2");
    expect(json).to.have.property("retry_after_ms", 1500);
  });

  it("answers 503 with Retry-After when the database cannot serve", async () => {
    for (const path of ["/down", "/slow"]) {
      const { status, headers, text } = await app.ask("GET", path);
      expect(status, path).to.equal(503);
      expect(headers, path).to.have.property("retry-after");
      expect(text, path).not.to.include("canary");
    }
  });

  it("sends a reply with its own status, headers and ready-made JSON", async () => {
    const { status, headers, json } = await app.ask("GET", "/reply");
    expect(status).to.equal(201);
    expect(headers["cache-control"]).to.equal("max-age=60");
    expect(headers["content-type"]).to.match(/^application\/json/);
    expect(json).to.deep.equal({ raw: 1 });
  });

  it("sends in pieces what follows a body", async () => {
    const { status, headers, json } = await app.ask("GET", "/pieces");
    expect(status).to.equal(200);
    expect(headers["content-type"]).to.match(/^application\/json/);
    expect(json).to.deep.equal({ a: [1, 2, "é"] });
  });

  it("ends the connection where an answer breaks off, so that nobody takes it for whole", async () => {
    const answer = await app.raw("GET /broken HTTP/1.1\r\nHost: test\r\n\r\n");
    expect(answer).to.match(/^HTTP\/1.1 200 /);
    expect(answer).to.contain(",2");
    expect(answer.endsWith("0\r\n\r\n"), "the last chunk").to.equal(false);
    expect(app.logged()).to.contain("an answer broke off");
    expect(answer).not.to.contain("canary-9");
  });

  it("keeps answers out of caches, and sends lists as they are", async () => {
    const { headers, text } = await app.ask("GET", "/list");
    expect(headers["cache-control"]).to.equal("no-store");
    expect(text).to.equal("[1,2]");
  });

  it("tells apart that it lives and that it can serve", async () => {
    expect((await app.ask("GET", "/health/live")).status).to.equal(200);
    expect((await app.ask("GET", "/health/ready")).status).to.equal(200);
    isReady = false;
    expect((await app.ask("GET", "/health/live")).status).to.equal(200);
    expect((await app.ask("GET", "/health/ready")).status).to.equal(503);
  });

  it("tells a waiting handler that its client has gone", async () => {
    const reached = once(waiting, "reached");
    const aborted = once(waiting, "aborted");
    const socket = connect(app.port(), "127.0.0.1");
    socket.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await reached;
    socket.destroy();
    await aborted;
    expect((await app.ask("GET", "/open")).status).to.equal(200);
    expect(app.logged()).to.include('"path":"/wait"').and.to.include("499");
  });

  it("row 53 CVE-2024-41671: answers pipelined requests in their order", async () => {
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n`;
    const answer = await app.raw(
      `${ask("/known")}\r\n${ask("/open")}\r\n${ask("/list")}Connection: close\r\n\r\n`,
    );
    expect(answer).to.match(/No such room.*"ok":true.*\[1,2\]/s);
  });
});
