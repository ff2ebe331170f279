import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { compileEndpoints } from "../../src/http/compile.ts";
import { endpoint } from "../../src/http/endpoint.ts";
import { useApp } from "./use-app.ts";

const strings = { type: "array", items: { type: "string" } };

const endpoints = [
  endpoint<{ query: object }>({
    method: "get",
    path: "/query",
    auth: "none",
    query: {
      type: "object",
      properties: {
        text: { type: "string", maxLength: 6 },
        limit: { type: "integer", minimum: 0 },
        flag: { type: "boolean" },
        via: strings,
        dir: { type: "string", enum: ["b", "f"] },
      },
    },
    handle: async (_edges, { query }) => query,
  }),
  endpoint({
    method: "get",
    path: "/required",
    auth: "none",
    query: {
      type: "object",
      properties: { dir: { type: "string" } },
      required: ["dir"],
    },
    handle: async () => ({}),
  }),
  endpoint<{ body: object }>({
    method: "post",
    path: "/body",
    auth: "none",
    maxBodyBytes: 1000,
    body: {
      type: "object",
      properties: {
        password: { type: "string" },
        nested: { type: "object", required: ["x"] },
      },
    },
    handle: async (_edges, { body }) => ({ keys: Object.keys(body) }),
  }),
  endpoint({
    method: "put",
    path: "/put",
    auth: "none",
    maxBodyBytes: 1_000_000,
    body: { type: "object" },
    handle: async () => ({}),
  }),
  endpoint({
    method: "post",
    path: "/needs",
    auth: "none",
    body: {
      type: "object",
      properties: { type: { type: "string" } },
      required: ["type"],
    },
    handle: async () => ({}),
  }),
  endpoint({
    method: "post",
    path: "/unread",
    auth: "none",
    handle: async () => ({}),
  }),
];

describe("input", () => {
  const app = useApp({ endpoints, bodyIdleMs: 400, headersTimeoutMs: 300 });
  const post = (path: string, body: string | Buffer, headers = {}) =>
    app.ask("POST", path, { body, headers });

  describe("query", () => {
    it("is decoded once, typed, and holds what the schema names alone", async () => {
      const { json } = await app.ask(
        "GET",
        "/query?text=a%2526+b&limit=10&flag=true&via=x&via=y&other=1&__proto__=2",
      );
      expect(json).to.deep.equal({
        text: "a%26 b",
        limit: 10,
        flag: true,
        via: ["x", "y"],
      });
    });

    it("makes a list of one for a list", async () => {
      expect((await app.ask("GET", "/query?via=x")).json).to.deep.equal({
        via: ["x"],
      });
    });

    for (const wrong of [
      "limit=1e3",
      "limit=",
      "limit=1.0",
      "limit=0x1",
      "limit=-1",
      "limit=9007199254740993",
      "limit=%201",
      "flag=1",
      "flag=TRUE",
      "flag=",
      "dir=x",
      "text=1234567",
      "limit=1&limit=2",
      "text=%zz",
      "text=%C0%AF",
    ]) {
      it(`refuses ${wrong}`, async () => {
        const { status, json } = await app.ask("GET", `/query?${wrong}`);
        expect(status).to.equal(400);
        expect(json).to.have.property("errcode", "M_INVALID_PARAM");
      });
    }

    it("says which parameter is missing", async () => {
      const { status, json } = await app.ask("GET", "/required");
      expect(status).to.equal(400);
      expect(json).to.deep.equal({
        errcode: "M_MISSING_PARAM",
        error: '"dir" is missing.',
      });
    });
  });

  describe("body", () => {
    it("is read whatever its content type says", async () => {
      for (const headers of [
        {},
        { "Content-Type": "text/plain" },
        { "Content-Type": "application/x-www-form-urlencoded" },
      ]) {
        expect((await post("/body", '{"a":1}', headers)).json).to.deep.equal({
          keys: ["a"],
        });
      }
    });

    it("may be absent from a POST that asks for nothing, not from a PUT", async () => {
      expect((await post("/body", "")).json).to.deep.equal({ keys: [] });
      const needs = await post("/needs", "");
      expect([needs.status, needs.json["errcode"]]).to.deep.equal([
        400,
        "M_NOT_JSON",
      ]);
      const put = await app.ask("PUT", "/put", { body: "" });
      expect([put.status, put.json["errcode"]]).to.deep.equal([
        400,
        "M_NOT_JSON",
      ]);
    });

    it("is refused as M_NOT_JSON where it is none", async () => {
      const bodies = [
        '{"a":',
        "{a:1}",
        '{"a":NaN}',
        '{"a":"\ud800"}'.slice(0, 5),
        "{}{}",
        " ",
      ];
      for (const body of bodies) {
        const { status, json } = await post("/body", body);
        expect([status, json["errcode"]], body).to.deep.equal([
          400,
          "M_NOT_JSON",
        ]);
      }
      for (const bytes of [
        "\x80",
        "\xc0\xaf",
        "\xed\xa0\x80",
        "\xff\xfe{\0}\0",
      ]) {
        const body = Buffer.from(`{"a":"${bytes}"}`, "latin1");
        const { status, json } = await post("/body", body);
        expect([status, json["errcode"]], bytes).to.deep.equal([
          400,
          "M_NOT_JSON",
        ]);
      }
    });

    it("is refused as M_BAD_JSON where the schema says otherwise, without its values", async () => {
      for (const body of [
        "[]",
        "1",
        "null",
        '{"nested":{}}',
        '{"password":["canary"]}',
      ]) {
        const { status, json, text } = await post("/body", body);
        expect([status, json["errcode"]], body).to.deep.equal([
          400,
          "M_BAD_JSON",
        ]);
        expect(text + app.logged()).not.to.include("canary");
      }
    });

    it("says which key is missing", async () => {
      const { json } = await post("/needs", "{}");
      expect(json).to.deep.equal({
        errcode: "M_MISSING_PARAM",
        error: '"type" is missing.',
      });
    });

    it("takes a key of Object.prototype for a plain key", async () => {
      const { json } = await post(
        "/body",
        '{"__proto__":{"type":"x"},"constructor":1}',
      );
      expect(json).to.deep.equal({ keys: ["__proto__", "constructor"] });
      expect(
        (await post("/needs", '{"__proto__":{"type":"x"}}')).status,
      ).to.equal(400);
    });

    it("may be as large as the endpoint says and one byte no larger", async () => {
      const body = (size: number) => `{"a":"${"x".repeat(size - 8)}"}`;
      expect((await post("/body", body(1000))).status).to.equal(200);
      const { status, json } = await post("/body", body(1001));
      expect([status, json["errcode"]]).to.deep.equal([413, "M_TOO_LARGE"]);
    });

    it("is counted where no length was announced", async () => {
      const chunk = `${(600).toString(16)}\r\n${" ".repeat(600)}\r\n`;
      const answer = await app.raw(
        `POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(2)}`,
      );
      expect(answer).to.match(/^HTTP\/1\.1 413 .*"M_TOO_LARGE"/s);
    });

    it("is refused by its announced length before it is sent", async () => {
      const answer = await app.raw(
        "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
      );
      expect(answer).to.match(/^HTTP\/1\.1 413 /);
    });

    it("row 52: is not read to its end where the request is refused before it", async () => {
      for (const length of [
        "Content-Length: 99999999",
        "Transfer-Encoding: chunked",
      ]) {
        const answer = await app.raw(
          `POST /nowhere HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`,
        );
        expect(answer).to.match(/^HTTP\/1\.1 404 /);
        expect(answer).to.match(/^Connection: close\r$/m);
      }
    });

    it("row 52: may not pause for longer than the limit", async () => {
      const answer = await app.raw(
        'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"a":',
      );
      expect(answer).to.match(/^HTTP\/1\.1 408 /);
    });

    it("row 52: may arrive slowly, as long as it moves", async () => {
      const head = "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
      const pieces = ["{", '"a"', ":", "1", "}"];
      const socket = connect(app.port(), "127.0.0.1");
      const answered = once(socket, "data");
      socket.write(`${head}Content-Length: 7\r\n\r\n`);
      const timer = setInterval(() => socket.write(pieces.shift() ?? ""), 120);
      const [answer] = (await answered) as [Buffer];
      clearInterval(timer);
      expect(answer.toString()).to.match(/^HTTP\/1\.1 200 /);
    });

    it("is refused where it is deeper or has more keys than any request needs", async () => {
      const put = async (body: string) =>
        (await app.ask("PUT", "/put", { body })).status;
      const nested = (depth: number) =>
        `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
      const keyed = (count: number) =>
        `{${Array.from({ length: count }, (_, i) => `"${i}":1`).join(",")}}`;
      expect(await put(nested(90))).to.equal(200);
      expect(await put(nested(110))).to.equal(400);
      expect(await put("[".repeat(500_000))).to.equal(400);
      expect(await put(keyed(29_000))).to.equal(200);
      expect(await put(keyed(31_000))).to.equal(413);
    });

    it("holds no lone surrogate and no number beyond a double", async () => {
      for (const value of ['"\\ud83d"', "1e400"]) {
        const { status, json } = await post("/body", `{"a":${value}}`);
        expect([status, json["errcode"]], value).to.deep.equal([
          400,
          "M_BAD_JSON",
        ]);
      }
    });

    it("is not read where the endpoint takes none", async () => {
      expect((await post("/unread", "no json")).status).to.equal(200);
    });
  });

  describe("request", () => {
    it("row 53 CVE-2020-10108 CVE-2020-10109: is refused where its length is told twice or in two ways", async () => {
      const heads = [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: x",
        "Content-Length: +2",
        "Content-Length : 2",
        "Content-Length: 2\r\n folded: x",
      ];
      for (const head of heads) {
        const answer = await app.raw(
          `POST /unread HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n{}`,
        );
        expect(answer, head).to.match(/^HTTP\/1\.1 400 /);
        expect(answer, head).to.include("Access-Control-Allow-Origin: *");
      }
    });

    it("row 53: is refused with headers above 16 KiB or above 100", async () => {
      const large = await app.raw(
        `GET /query HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(17_000)}\r\n\r\n`,
      );
      expect(large).to.match(/^HTTP\/1\.1 431 /);
      const headers = Object.fromEntries(
        Array.from({ length: 101 }, (_, i) => [`X-${i}`, "1"]),
      );
      expect((await app.ask("GET", "/query", { headers })).status).to.equal(
        431,
      );
    });

    it("row 52: may not take longer for its headers than the limit", async () => {
      expect(
        await app.raw("GET /query HTTP/1.1\r\nHost: x\r\nX-Slow:"),
      ).to.match(/^HTTP\/1\.1 408 /);
    });

    it("row 50: leaves one line in the log, whatever it holds", async () => {
      await app.raw(
        "GET /a%0d%0ab\x1b[31m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      );
      await app.ask("GET", "/a%0d%0ab");
      for (const line of app.logged().split("\n"))
        expect(JSON.parse(line)).to.be.an("object");
    });
  });
});

describe("compileEndpoints", () => {
  const plain = endpoint({
    method: "get",
    path: "/a/:b",
    auth: "none",
    handle: async () => ({}),
  });

  it("refuses an endpoint that is not whole, at boot", () => {
    const wrong: [object, RegExp][] = [
      [{ auth: "admin" }, /names no permission/],
      [{ permission: "users.read" }, /permission that nobody asks for/],
      [{ path: "/a/:b/:b" }, /repeats a parameter/],
      [{ params: { c: String } }, /no parameter :c/],
      [{ also: ["/x/:c"] }, /no parameter :c/],
      [{ path: "/a/(.*)" }, /no pattern/],
      [{ path: "a" }, /no pattern/],
      [
        { query: { type: "object", properties: { x: { type: "number" } } } },
        /one plain type/,
      ],
      [{ body: { type: "objekt" } }, /schema/],
    ];
    for (const [change, message] of wrong) {
      expect(() => compileEndpoints([{ ...plain, ...change }])).to.throw(
        message,
      );
    }
  });

  it("refuses two endpoints for one method and path", () => {
    expect(() =>
      compileEndpoints([plain, { ...plain, path: "/a/:c" }]),
    ).to.throw("Two endpoints");
  });
});
