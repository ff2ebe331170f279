import { expect } from "chai";
import { must } from "../../support/rooms.ts";
import {
  type Answer,
  type Json,
  type TestClient,
  type TestProcess,
  useServer,
} from "../../support/server.ts";

const TEXT = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const JSON_PATH = "/_matrix/client/unstable/io.element.msc4388/rendezvous";

const errorOf = ({ status, body }: Answer) => [status, body["errcode"]];

describe("rendezvous", () => {
  const server = useServer();
  let other: TestProcess;

  before(async () => {
    other = await server.startProcess();
  });

  describe("with headers (MSC4108)", () => {
    const write = (
      client: TestClient,
      target: string,
      body: string | Buffer,
      headers: Record<string, string> = {},
      method = "PUT",
    ) =>
      client.ask(method, target, body, {
        headers: { "content-type": "text/plain", ...headers },
      });

    async function open(body = "from A") {
      const answer = await write(server, TEXT, body, {}, "POST");
      expect(answer.status, answer.text).to.equal(201);
      const { url } = answer.body as { url: string };
      expect(url).to.match(/^https:\/\/test\/_matrix\//);
      return { target: url.slice("https://test".length), answer };
    }

    const tagOf = ({ headers }: Answer): string => String(headers.etag);

    it("carry messages both ways, between two processes", async () => {
      const { target, answer } = await open();
      const first = await other.get(target);
      expect([first.status, first.text]).to.deep.equal([200, "from A"]);
      expect(first.headers["content-type"]).to.equal("text/plain");
      expect(tagOf(first)).to.equal(tagOf(answer));
      const same = await other.get(target, {
        headers: { "if-none-match": tagOf(first) },
      });
      expect([same.status, same.text]).to.deep.equal([304, ""]);
      expect(tagOf(same)).to.equal(tagOf(first));
      const put = await write(other, target, "from B", {
        "if-match": tagOf(first),
      });
      expect([put.status, put.text]).to.deep.equal([202, ""]);
      expect(tagOf(put)).to.not.equal(tagOf(first));
      const second = await server.get(target, {
        headers: { "if-none-match": tagOf(first) },
      });
      expect([second.status, second.text]).to.deep.equal([200, "from B"]);
      for (const each of [answer, first, same, put, second]) {
        const { headers } = each;
        expect(tagOf(each)).to.match(/^"[\w-]+"$/);
        expect(headers["cache-control"]).to.equal("no-store");
        expect(headers["pragma"]).to.equal("no-cache");
        const ends = Date.parse(String(headers["expires"]));
        expect(ends - Date.now()).to.be.within(200_000, 301_000);
        expect(Date.parse(String(headers["last-modified"]))).to.be.below(
          Date.now() + 1,
        );
      }
    });

    it("tell equal messages apart, and refuse one that was written without the last", async () => {
      const { target, answer } = await open("same");
      const tag = tagOf(answer);
      const again = await write(server, target, "same", { "if-match": tag });
      expect(tagOf(again)).to.not.equal(tag);
      const late = await write(other, target, "late", { "if-match": tag });
      expect(late.status).to.equal(412);
      expect(late.body).to.include({
        errcode: "M_UNKNOWN",
        "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE",
      });
      expect(tagOf(late)).to.equal(tagOf(again));
      expect((await server.get(target)).text).to.equal("same");
    });

    it("let one of many who write at once win", async () => {
      const { target, answer } = await open();
      const headers = { "if-match": tagOf(answer) };
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          write(i % 2 ? server : other, target, `writer ${i}`, headers),
        ),
      );
      const won = answers.filter(({ status }) => status === 202);
      expect(won).to.have.length(1);
      expect(answers.filter(({ status }) => status === 412)).to.have.length(39);
      const { text } = await server.get(target);
      expect(text).to.equal(`writer ${answers.indexOf(won[0]!)}`);
    });

    it("are over when they are ended, or after their time", async () => {
      const { target } = await open();
      const gone = await other.delete(target);
      expect([gone.status, gone.text]).to.deep.equal([204, ""]);
      const next = await open();
      await server.database
        .sql`update rendezvous_sessions set expires_ts = ${Date.now() - 1}`;
      for (const ended of [target, next.target, `${TEXT}/unknown`])
        for (const answer of [
          await server.get(ended),
          await server.delete(ended),
          await write(server, ended, "x", { "if-match": '"x"' }),
        ])
          expect(errorOf(answer)).to.deep.equal([404, "M_NOT_FOUND"]);
      await open();
      const rows = await server.database.sql`
        select from rendezvous_sessions where expires_ts < ${Date.now()}`;
      expect(rows).to.have.length(0);
    });

    it("take plain text of 4 KiB at the most, of any bytes", async () => {
      const bytes = Buffer.from([0, 255, 10, 128]);
      const whole = Buffer.concat([bytes, Buffer.alloc(4092, "x")]);
      const made = await write(server, TEXT, whole, {}, "POST");
      const { url } = made.body as { url: string };
      const read = await server.get(url.slice("https://test".length));
      expect(read.headers["content-length"]).to.equal("4096");
      const large = await write(server, TEXT, "x".repeat(4097), {}, "POST");
      expect(errorOf(large)).to.deep.equal([413, "M_TOO_LARGE"]);
      const { target, answer } = await open();
      const cases: [Record<string, string>, string][] = [
        [{ "content-type": "application/json" }, "M_INVALID_PARAM"],
        [{ "content-type": "text/html" }, "M_INVALID_PARAM"],
      ];
      for (const [headers, errcode] of cases) {
        const post = await write(server, TEXT, "x", headers, "POST");
        expect(errorOf(post)).to.deep.equal([400, errcode]);
        const put = await write(server, target, "x", {
          ...headers,
          "if-match": tagOf(answer),
        });
        expect(errorOf(put)).to.deep.equal([400, errcode]);
      }
      const bare = await server.ask("POST", TEXT, "x");
      expect(errorOf(bare)).to.deep.equal([400, "M_MISSING_PARAM"]);
      const unnamed = await write(server, target, "x");
      expect(errorOf(unnamed)).to.deep.equal([400, "M_MISSING_PARAM"]);
      for (const odd of ["*", "x", `W/${tagOf(answer)}`, '"a", "b"', '""']) {
        const put = await write(server, target, "x", { "if-match": odd });
        expect(errorOf(put), odd).to.deep.equal([400, "M_INVALID_PARAM"]);
      }
      expect((await server.get(target)).text).to.equal("from A");
    });

    it("serve programs of any origin, and are no pages", async () => {
      const { target, answer } = await open();
      const preflight = await server.ask("OPTIONS", target);
      expect(preflight.headers["access-control-allow-headers"]).to.equal(
        "X-Requested-With, Content-Type, Authorization, If-Match, If-None-Match",
      );
      expect(preflight.headers["access-control-allow-methods"]).to.include(
        "PUT, DELETE",
      );
      expect(answer.headers["access-control-expose-headers"]).to.include(
        "ETag",
      );
      const shown = await server.get(target, {
        headers: { "sec-fetch-mode": "navigate" },
      });
      expect(errorOf(shown)).to.deep.equal([403, "M_FORBIDDEN"]);
      expect(shown.text).to.not.include("from A");
    });
  });

  describe("with JSON (MSC4388)", () => {
    async function open(data = "from A") {
      const body = must(await server.post(JSON_PATH, { data }));
      const { id, sequence_token, expires_in_ms, expires_ts } = body as {
        id: string;
        sequence_token: string;
        expires_in_ms: number;
        expires_ts: number;
      };
      expect(expires_in_ms).to.be.within(200_000, 300_000);
      expect(expires_ts - Date.now()).to.be.within(200_000, 300_000);
      return { target: `${JSON_PATH}/${id}`, token: sequence_token };
    }

    it("carry messages both ways, between two processes", async () => {
      expect(must(await server.get(JSON_PATH))).to.deep.equal({
        create_available: true,
      });
      const { target, token } = await open("😀".repeat(4096));
      const first = must(await other.get(target));
      expect(first).to.include({
        data: "😀".repeat(4096),
        sequence_token: token,
      });
      const put = must(
        await other.put(target, { sequence_token: token, data: "from B" }),
      );
      const second = must(await server.get(target));
      expect(second).to.include({ data: "from B", ...put });
      expect(put["sequence_token"]).to.not.equal(token);
      const late = { sequence_token: token, data: "late" };
      const refused = await server.put(target, late);
      expect(errorOf(refused)).to.deep.equal([
        409,
        "IO_ELEMENT_MSC4388_CONCURRENT_WRITE",
      ]);
      expect(must(await other.delete(target))).to.deep.equal({});
      for (const answer of [
        await server.get(target),
        await server.put(target, late),
        await server.delete(target),
      ])
        expect(errorOf(answer)).to.deep.equal([404, "M_NOT_FOUND"]);
    });

    it("refuse what is no message, or too long", async () => {
      const { target, token } = await open();
      const long = "x".repeat(4097);
      const wrong: [Json, number][] = [
        [{}, 400],
        [{ data: 1 }, 400],
        [{ data: long }, 413],
      ];
      for (const [body, status] of wrong) {
        expect((await server.post(JSON_PATH, body)).status).to.equal(status);
        const put = { sequence_token: token, ...body };
        expect((await server.put(target, put)).status).to.equal(status);
      }
      const odd = { sequence_token: "\0", data: "x" };
      expect((await server.put(target, odd)).status).to.equal(409);
      const shown = await server.get(target, {
        headers: { "sec-fetch-mode": "navigate" },
      });
      expect(errorOf(shown)).to.deep.equal([403, "M_FORBIDDEN"]);
      // The other form knows nothing of it.
      const twin = target.replace(JSON_PATH, TEXT);
      expect((await server.get(twin)).status).to.equal(404);
    });
  });

  it("are ten thousand at the most", async () => {
    const { sql } = server.database;
    await sql`delete from rendezvous_sessions`;
    await sql`
      insert into rendezvous_sessions (id_hash, revision, payload, modified_ts, expires_ts)
      select sha256(n::text::bytea), 'r', '', 1, ${Date.now() + 60_000} from generate_series(1, 9999) n`;
    must(await server.post(JSON_PATH, { data: "the last" }));
    const full = await server.post(JSON_PATH, { data: "too many" });
    expect(errorOf(full)).to.deep.equal([429, "M_LIMIT_EXCEEDED"]);
    await sql`update rendezvous_sessions set expires_ts = 1 where payload = ''`;
    must(await server.post(JSON_PATH, { data: "again" }));
  });

  it("are told of in what is supported", async () => {
    const { unstable_features } = must<{ unstable_features: object }>(
      await server.get("/_matrix/client/versions"),
    );
    expect(unstable_features).to.include({
      "org.matrix.msc4108": true,
      "io.element.msc4388": true,
    });
  });
});

describe("rendezvous, where it is switched off", () => {
  const server = useServer({ "rendezvous.enabled": false });

  it("is not there", async () => {
    const { unstable_features } = must<{ unstable_features: object }>(
      await server.get("/_matrix/client/versions"),
    );
    expect(unstable_features).to.not.have.any.keys(
      "org.matrix.msc4108",
      "io.element.msc4388",
    );
    const headers = { "content-type": "text/plain", "if-match": '"x"' };
    for (const answer of [
      await server.ask("POST", TEXT, "x", { headers }),
      await server.get(`${TEXT}/x`),
      await server.ask("PUT", `${TEXT}/x`, "x", { headers }),
      await server.delete(`${TEXT}/x`),
      await server.get(JSON_PATH),
      await server.post(JSON_PATH, { data: "x" }),
      await server.get(`${JSON_PATH}/x`),
      await server.put(`${JSON_PATH}/x`, { sequence_token: "x", data: "x" }),
      await server.delete(`${JSON_PATH}/x`),
    ])
      expect(errorOf(answer)).to.deep.equal([404, "M_UNRECOGNIZED"]);
  });
});
