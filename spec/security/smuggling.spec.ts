import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { endpoint } from "../../src/http/endpoint.ts";
import { useApp } from "../http/use-app.ts";

const GET = "GET /echo/outer HTTP/1.1\r\nHost: x\r\n";
const POST = "POST /echo/outer HTTP/1.1\r\nHost: x\r\n";
/** What must never be taken for a request. */
const INNER = "GET /echo/inner HTTP/1.1\r\nHost: x\r\n\r\n";
/** Follows each vector: whatever was left unread would swallow it, or come before it. */
const LAST = "GET /echo/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n`;
const inLength = (body: string) =>
  `Content-Length: ${body.length}\r\n\r\n${body}`;
const inChunk = (body: string) =>
  `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const many = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join("");

type Vectors = Readonly<Record<string, string>>;

/** Refused with 400, and nothing of it or after it is served. */
const REFUSED: Vectors = {
  // Two lengths, or one that is no number.
  "both lengths, chunks first": `${CHUNKED}Content-Length: 4\r\n\r\n0\r\n\r\n${INNER}`,
  "both lengths, chunks last": `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
  "two equal lengths": `${POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
  "two lengths": `${POST}Content-Length: 2\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  "two lengths in one line": `${POST}Content-Length: 2, 2\r\n\r\n{}`,
  "a negative length": `${POST}Content-Length: -1\r\n\r\n${INNER}`,
  "a length with a plus": `${POST}Content-Length: +2\r\n\r\n{}`,
  "a length in hexadecimal": `${POST}Content-Length: 0x2\r\n\r\n{}`,
  "a length with a point": `${POST}Content-Length: 2.0\r\n\r\n{}`,
  "a length with an exponent": `${POST}Content-Length: 2e0\r\n\r\n{}`,
  "a length in two parts": `${POST}Content-Length: 1 2\r\n\r\n{}`,
  "an empty length": `${POST}Content-Length:\r\n\r\n${INNER}`,
  "a length beyond 64 bits": `${POST}Content-Length: 18446744073709551618\r\n\r\n{}`,
  "a length in other digits": `${POST}Content-Length: \xd9\xa2\r\n\r\n{}`,
  "a length after a vertical tab": `${POST}Content-Length:\x0b2\r\n\r\n{}`,
  "a length with NUL": `${POST}Content-Length: 2\0\r\n\r\n{}`,
  // Encodings that are not chunked, or only look like it.
  "another encoding": `${POST}Transfer-Encoding: identity\r\n\r\n${inChunk("{}")}`,
  "an encoding after chunked": `${POST}Transfer-Encoding: chunked, identity\r\n\r\n${inChunk("{}")}`,
  "an encoding after chunked, in a line of its own": `${CHUNKED}Transfer-Encoding: identity\r\n\r\n${inChunk("{}")}`,
  xchunked: `${POST}Transfer-Encoding: xchunked\r\n\r\n${inChunk("{}")}`,
  "chunked in quotes": `${POST}Transfer-Encoding: "chunked"\r\n\r\n${inChunk("{}")}`,
  "chunked after a vertical tab": `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n${inChunk("{}")}`,
  "chunked before a space of another kind": `${POST}Transfer-Encoding: chunked\xa0\r\n\r\n${inChunk("{}")}`,
  "an empty encoding": `${POST}Transfer-Encoding:\r\n\r\n${INNER}`,
  "chunked twice": `${CHUNKED}Transfer-Encoding: chunked\r\n\r\n${inChunk(INNER)}`,
  "compressed, and chunked": `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n${inChunk(INNER)}`,
  "chunks of HTTP/1.0": `POST /echo/outer HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${inChunk("{}")}${INNER}`,
  // Names and lines.
  "a space before the colon": `${POST}Content-Length : 2\r\n\r\n{}`,
  "a tab before the colon": `${POST}Transfer-Encoding\t: chunked\r\n\r\n${inChunk("{}")}`,
  "a space before the first name": `POST /echo/outer HTTP/1.1\r\n Host: x\r\n\r\n`,
  "a folded length": `${POST}Content-Length: 2\r\n 0\r\n\r\n${INNER}`,
  "a folded encoding": `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n${INNER}`,
  "a line without a colon": `${GET}NoColon\r\n\r\n`,
  "an empty name": `${GET}: x\r\n\r\n`,
  "a space in a name": `${GET}X Y: z\r\n\r\n`,
  "NUL in a name": `${GET}X\0Y: z\r\n\r\n`,
  "NUL in a value": `${GET}X-A: a\0b\r\n\r\n`,
  "a name beyond ASCII": `${GET}X-\xe9: z\r\n\r\n`,
  "CR alone in a value": `${GET}X-A: a\rX-B: b\r\n\r\n`,
  "CR CR LF at the end of a line": `${GET}X-A: a\r\r\n\r\n`,
  // Whom it is for.
  "no host": `GET /echo/outer HTTP/1.1\r\n\r\n`,
  "two hosts": `${GET}Host: y\r\n\r\n`,
  "two hosts that are one": `${GET}hOsT: x\r\n\r\n`,
  "two hosts of HTTP/1.0": `GET /echo/outer HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n`,
  "a host with a space": `GET /echo/outer HTTP/1.1\r\nHost: a b\r\n\r\n`,
  "a host with a path": `GET /echo/outer HTTP/1.1\r\nHost: a/b\r\n\r\n`,
  "a host with a name": `GET /echo/outer HTTP/1.1\r\nHost: a@b\r\n\r\n`,
  // The request line.
  "HTTP/0.9": `GET /echo/outer\r\n\r\n`,
  "HTTP/0.9 by its name": `GET /echo/outer HTTP/0.9\r\nHost: x\r\n\r\n`,
  "HTTP/1.2": `GET /echo/outer HTTP/1.2\r\nHost: x\r\n\r\n`,
  "HTTP/2.0": `GET /echo/outer HTTP/2.0\r\nHost: x\r\n\r\n`,
  "the preface of HTTP/2": `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  "http/1.1": `GET /echo/outer http/1.1\r\nHost: x\r\n\r\n`,
  "a space in the target": `GET /echo/ou ter HTTP/1.1\r\nHost: x\r\n\r\n`,
  "a space after the version": `GET /echo/outer HTTP/1.1 \r\nHost: x\r\n\r\n`,
  "NUL in the target": `GET /echo/out\0er HTTP/1.1\r\nHost: x\r\n\r\n`,
  "a target without a slash": `POST echo/outer HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`,
  "a small method": `get /echo/outer HTTP/1.1\r\nHost: x\r\n\r\n`,
  "an unknown method": `BREW /echo/outer HTTP/1.1\r\nHost: x\r\n\r\n`,
  TLS: `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03`,
  "a body that goes on": `{"a":1}\r\n`,
};

/** Read as one request, after which the last one comes. */
const ONCE: Vectors = {
  "a request in a body by its length": `${POST}${inLength(INNER)}`,
  "a request in a body by chunks": `${CHUNKED}\r\n${inChunk(INNER)}`,
  "a request in a body that GET does not have": `${GET}${inLength(INNER)}`,
  "a request in chunks that GET does not have": `${GET}Transfer-Encoding: chunked\r\n\r\n${inChunk(INNER)}`,
  "a length with zeros before it": `${POST}Content-Length: 002\r\n\r\n{}`,
  "an encoding in capitals": `${POST}TRANSFER-ENCODING: Chunked\r\n\r\n${inChunk(INNER)}`,
  "a tab after the colon": `${POST}Transfer-Encoding:\tchunked\r\n\r\n${inChunk(INNER)}`,
  "a chunk with zeros before its size": `${CHUNKED}\r\n0002\r\n{}\r\n0\r\n\r\n`,
  "a chunk with an extension": `${CHUNKED}\r\n2;a=b\r\n{}\r\n0;c="d"\r\n\r\n`,
  trailers: `${CHUNKED}\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\nHost: y\r\n\r\n`,
  "the absolute form": `GET http://elsewhere.example/echo/outer HTTP/1.1\r\nHost: x\r\n\r\n`,
  "an empty line before": `\r\n${GET}\r\n`,
  "a body that was asked to go on": `${POST}Expect: 100-continue\r\n${inLength(INNER)}`,
  "HTTP/1.0 that stays": `GET /echo/outer HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  "HTTP/1.0 that stays, with a body": `POST /echo/outer HTTP/1.0\r\nConnection: keep-alive\r\n${inLength(INNER)}`,
};

/** Served, and the connection with it: what the parser lost is no beginning of anything. */
const LAST_OF_ITS_CONNECTION: Vectors = {
  "an upgrade that nobody makes": `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  "an upgrade to HTTP/2": `${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
  "an upgrade with a body": `${POST}Connection: Upgrade\r\nUpgrade: h2c\r\n${inLength(INNER)}`,
};

/** Either of the two, or served and ended: RFC 9112 leaves it to the server. */
const EITHER: Vectors = {
  "LF alone at the ends of lines": `GET /echo/outer HTTP/1.1\nHost: x\n\n`,
  "LF alone after a length": `${POST}Content-Length: 2\n\r\n{}`,
  "LF alone after an encoding": `${POST}Transfer-Encoding: chunked\n\r\n${inChunk(INNER)}`,
  "LF alone before the body": `${POST}Content-Length: ${INNER.length}\r\n\n${INNER}`,
  "a folded value": `${GET}X-A: a\r\n b\r\n\r\n`,
  "a folded value that looks like a length": `${GET}X-A: a\r\n Content-Length: 38\r\n\r\n`,
  "two spaces before the target": `GET  /echo/outer HTTP/1.1\r\nHost: x\r\n\r\n`,
  "trailers that tell a length": `${CHUNKED}\r\n2\r\n{}\r\n0\r\nContent-Length: 38\r\n\r\n`,
  "trailers that tell an encoding": `${CHUNKED}\r\n2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`,
  "a name that is none of an encoding": `${POST}Transfer_Encoding: chunked\r\n\r\n${inChunk(INNER)}`,
  "a length among what ends with the hop": `${POST}Connection: Content-Length\r\n${inLength(INNER)}`,
};

/** Begun, and refused in the middle: what was not whole is not served. */
const BROKEN: Vectors = {
  "a chunk with a plus": `${CHUNKED}\r\n+2\r\n{}\r\n0\r\n\r\n`,
  "a negative chunk": `${CHUNKED}\r\n-1\r\n${INNER}`,
  "a chunk with 0x": `${CHUNKED}\r\n0x2\r\n{}\r\n0\r\n\r\n`,
  "a space before a chunk's size": `${CHUNKED}\r\n 2\r\n{}\r\n0\r\n\r\n`,
  "a chunk without a size": `${CHUNKED}\r\n\r\n{}\r\n0\r\n\r\n`,
  "a chunk beyond 64 bits": `${CHUNKED}\r\n10000000000000002\r\n{}\r\n0\r\n\r\n`,
  "a chunk that is longer than told": `${CHUNKED}\r\n1\r\n{}\r\n0\r\n\r\n${INNER}`,
  "chunks that run into each other": `${CHUNKED}\r\n2\r\n{}0\r\n\r\n${INNER}`,
  "LF alone after a chunk's size": `${CHUNKED}\r\n2\n{}\r\n0\r\n\r\n`,
  "CR alone after a chunk's size": `${CHUNKED}\r\n2\r{}\r\n0\r\n\r\n`,
  "LF in a chunk's extension": `${CHUNKED}\r\n2;a\nb\r\n{}\r\n0\r\n\r\n${INNER}`,
  "NUL in a chunk's extension": `${CHUNKED}\r\n2;a\0b\r\n{}\r\n0\r\n\r\n`,
  "extensions without end": `${CHUNKED}\r\n2;${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  "a tunnel": `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n${INNER}`,
  "trailers without a colon": `${CHUNKED}\r\n2\r\n{}\r\n0\r\nNoColon\r\n\r\n`,
};

/** Refused by us, its body unread: the body is none the more a request. */
const UNREAD: Readonly<
  Record<string, readonly [status: number, text: string]>
> = {
  "a body for nobody": [
    404,
    `POST /nowhere HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`,
  ],
  "chunks for nobody": [
    404,
    `POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${inChunk(INNER)}`,
  ],
  "a body for another method": [
    405,
    `PUT /echo/outer HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`,
  ],
  "a body of somebody unknown": [
    401,
    `POST /own HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`,
  ],
  "a body that is too large": [413, `${POST}${inLength(INNER.repeat(100))}`],
  "chunks that are too large": [
    413,
    `${CHUNKED}\r\n${inChunk(INNER.repeat(100))}`,
  ],
  "a body behind 101 headers": [
    431,
    `${POST}${many(100, (i) => `X-${i}: 1\r\n`)}${inLength(INNER)}`,
  ],
  "a body behind 1,000 headers": [
    431,
    `${POST}${many(1_000, (i) => `X-${i}: 1\r\n`)}${inLength(INNER)}`,
  ],
  "a body of which more is expected": [
    417,
    `${POST}Expect: the unexpected\r\n${inLength(INNER)}`,
  ],
  "a body with a preflight": [
    204,
    `OPTIONS /echo/outer HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`,
  ],
};

describe("requests within requests", () => {
  let served: string[] = [];
  const echo = async (
    _edges: unknown,
    { params }: { params: { nonce: string } },
  ) => {
    const { nonce } = params;
    served.push(nonce);
    // Some are done long after those that came later.
    for (let i = 0; i < nonce.length % 7; i += 1) await turn();
    return { nonce };
  };
  const app = useApp({
    bodyIdleMs: 300,
    headersTimeoutMs: 300,
    checksAnswers: false,
    endpoints: [
      endpoint<{ params: { nonce: string } }>({
        method: "get",
        path: "/echo/:nonce",
        auth: "none",
        handle: echo,
      }),
      endpoint<{ params: { nonce: string } }>({
        method: "post",
        path: "/echo/:nonce",
        auth: "none",
        takesBytes: true,
        maxBodyBytes: 1_000,
        handle: echo,
      }),
      endpoint({
        method: "post",
        path: "/own",
        auth: "user",
        takesBytes: true,
        handle: async () => ({}),
      }),
    ],
  });

  beforeEach(() => (served = []));

  interface Answered {
    status: number;
    nonce: unknown;
  }

  /** All answers on one connection, until it is closed. */
  const talk = (bytes: string): Promise<Answered[]> =>
    new Promise((resolve) => {
      let text = "";
      const socket = connect(app.port(), "127.0.0.1", () =>
        socket.write(bytes, "latin1"),
      );
      socket.setEncoding("latin1");
      socket.on("data", (part: string) => (text += part));
      // Who ends a connection with bytes unread resets it.
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(answersIn(text)));
    });

  function answersIn(text: string): Answered[] {
    const head = /^HTTP\/1\.1 (\d{3})[^]*?\r\n\r\n/.exec(text);
    if (!head) {
      expect(text).to.equal("");
      return [];
    }
    const [whole, status] = head;
    const length = /\r\ncontent-length: (\d+)/i.exec(whole)?.[1] ?? 0;
    const end = whole.length + Number(length);
    const rest = answersIn(text.slice(end));
    const body = text.slice(whole.length, end);
    // Of the body that may go on, which is no answer.
    if (status === "100") return rest;
    const { nonce } = (body === "" ? {} : JSON.parse(body)) as Json;
    return [{ status: Number(status), nonce }, ...rest];
  }

  type Json = Record<string, unknown>;
  const ok = (nonce: string): Answered => ({ status: 200, nonce });
  const no = (status: number): Answered => ({ status, nonce: undefined });

  it("row 53: there are more than forty vectors", () => {
    const vectors = [
      ...[REFUSED, ONCE, LAST_OF_ITS_CONNECTION, EITHER, BROKEN],
      UNREAD,
    ];
    const names = vectors.flatMap((one) => Object.keys(one));
    expect(new Set(names).size).to.equal(names.length).and.be.above(100);
  });

  for (const [name, bytes] of Object.entries(REFUSED))
    it(`row 53: ${name}: is refused, and all that follows`, async () => {
      expect(await talk(bytes + LAST)).to.deep.equal([no(400)]);
      expect(served).to.deep.equal([]);
    });

  for (const [name, bytes] of Object.entries(ONCE))
    it(`row 53: ${name}: is one request`, async () => {
      expect(await talk(bytes + LAST)).to.deep.equal([ok("outer"), ok("last")]);
      expect(served).to.have.members(["outer", "last"]);
    });

  for (const [name, bytes] of Object.entries(LAST_OF_ITS_CONNECTION))
    it(`row 53: ${name}: is one request, and the last`, async () => {
      expect(await talk(bytes + LAST)).to.deep.equal([ok("outer")]);
      expect(served).to.deep.equal(["outer"]);
    });

  for (const [name, bytes] of Object.entries(EITHER))
    it(`row 53: ${name}: is no more than one request`, async () => {
      const answers = await talk(bytes + LAST);
      expect(answers).to.be.deep.oneOf([
        [no(400)],
        [ok("outer"), no(400)],
        [ok("outer"), ok("last")],
      ]);
      expect(served).to.have.length.below(3).and.not.include("inner");
    });

  for (const [name, bytes] of Object.entries(BROKEN))
    it(`row 53: ${name}: is not served, nor what follows`, async () => {
      const answers = await talk(bytes + LAST);
      expect(answers).to.be.deep.oneOf([[no(400)], [no(413)], []]);
      expect(served).to.deep.equal([]);
    });

  for (const [name, [status, bytes]] of Object.entries(UNREAD))
    it(`row 53: ${name}: is answered ${status} once`, async () => {
      const answers = await talk(bytes + LAST);
      expect(answers).to.be.deep.oneOf([
        [no(status)],
        [no(status), ok("last")],
      ]);
      expect(served).to.be.deep.oneOf([[], ["last"]]);
    });

  it("row 53: headers of 16 KiB and one byte are refused, and what follows", async () => {
    const value = "x".repeat(16 * 1024);
    expect(await talk(`${GET}X-A: ${value}\r\n\r\n${LAST}`)).to.deep.equal([
      no(431),
    ]);
    expect(served).to.deep.equal([]);
  });

  it("row 53: nothing is served after a connection was asked to close", async () => {
    for (const last of [
      `${GET}Connection: close\r\n\r\n`,
      `GET /echo/outer HTTP/1.0\r\nHost: x\r\n\r\n`,
    ]) {
      const [first] = await talk(last + INNER);
      expect(first).to.deep.equal(ok("outer"));
      expect(served).to.deep.equal(["outer"]);
      served = [];
    }
  });

  it("row 53: what comes before something refused is answered before it", async () => {
    const slow = "GET /echo/abcdef HTTP/1.1\r\nHost: x\r\n\r\n";
    const quick = "GET /echo/abcdefg HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const refused of ["no request\r\n\r\n", REFUSED["two hosts"]!]) {
      expect(await talk(slow + quick + refused + INNER)).to.deep.equal([
        ok("abcdef"),
        ok("abcdefg"),
        no(400),
      ]);
      expect(served).to.deep.equal(["abcdef", "abcdefg"]);
      served = [];
    }
  });

  it("row 53: every answer is of its own request, on many connections with many requests each", async () => {
    const names = (connection: number) =>
      Array.from(
        { length: 40 },
        (_, i) => `${"n".repeat((i * 5) % 11)}-${connection}-${i}`,
      );
    const ask = (nonce: string, i: number) =>
      i % 3 === 0
        ? `GET /echo/${nonce} HTTP/1.1\r\nHost: x\r\n\r\n`
        : i % 3 === 1
          ? `POST /echo/${nonce} HTTP/1.1\r\nHost: x\r\n${inLength(INNER)}`
          : `POST /echo/${nonce} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${inChunk(INNER)}`;
    const connections = Array.from({ length: 20 }, (_, i) => names(i));
    const answers = await Promise.all(
      connections.map((own) => talk(own.map(ask).join("") + LAST)),
    );
    answers.forEach((own, i) => {
      expect(own).to.deep.equal([...connections[i]!.map(ok), ok("last")]);
    });
    expect(served).not.to.include("inner");
  });
});
