import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { essenceOf } from "../../src/core/media-type.ts";
import { getThumbnail } from "../../src/domain/media/thumbnail.ts";
import type { Edges, Log } from "../../src/edges.ts";
import { collect, failureOf } from "../support/collect.ts";
import { quiet } from "../support/database.ts";
import { replaced, useIcapServer } from "../support/icap-server.ts";
import {
  downloadPath,
  imageOf,
  listFiles,
  thumbnailPath,
  upload,
  uploadImage,
} from "../support/media.ts";
import { must } from "../support/rooms.ts";
import { type TestUser, useServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="9" height="9"/>';
const HTML = "<!DOCTYPE html><script>alert(1)</script>";
const PDF = "%PDF-1.7\n1 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj";
const GIFAR = "GIF89a\x01\x00\x01\x00PK\x03\x04META-INF/MANIFEST.MF";
const PDF_JS = `%PDF-1.7\n/*${"x".repeat(20)}*/=1;alert(1)`;

/** What says of itself what no browser may take it for. */
const ACTIVE_TYPES = [
  ...["text/html", "TEXT/HTML", "Text/Html; charset=utf-8", "text/html;"],
  ...["image/svg+xml", "IMAGE/SVG+XML", "image/svg+xml;charset=utf-8"],
  ...["application/xhtml+xml", "application/xml", "text/xml", "text/xsl"],
  ...["application/pdf", "application/x-pdf", "text/javascript"],
  ...["application/javascript", "application/x-javascript", "text/ecmascript"],
  ...["application/x-shockwave-flash", "application/java-archive"],
  ...["application/octet-stream", "multipart/x-mixed-replace; boundary=x"],
  ...["message/rfc822", "text/cache-manifest", "application/wasm"],
  ...["application/rss+xml", "application/mathml+xml", "text/vnd.wap.wml"],
];

describe("hostile files", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  async function headersOf(bytes: Buffer | string, type?: string) {
    const mediaId = await upload(alice, bytes, type, "name.html");
    const { headers, status } = await alice.get(downloadPath(mediaId));
    expect(status).to.equal(200);
    return headers;
  }

  function expectHarmless(headers: Awaited<ReturnType<typeof headersOf>>) {
    expect(headers["x-content-type-options"]).to.equal("nosniff");
    expect(headers["content-security-policy"]).to.match(
      /^sandbox; default-src 'none'; script-src 'none';/,
    );
  }

  it("row 71 CVE-2023-41318: what can run is saved, never shown, whatever it is spelled", async () => {
    for (const type of ACTIVE_TYPES)
      for (const bytes of [HTML, SVG]) {
        const headers = await headersOf(bytes, type);
        expectHarmless(headers);
        expect(headers["content-disposition"], type).to.match(/^attachment; /);
      }
  });

  it("row 71: what lies about being an image is saved, and is none to anybody", async () => {
    for (const bytes of [HTML, SVG, PDF, PDF_JS, GIFAR])
      for (const type of [
        "image/png",
        "image/jpeg",
        "Image/WebP",
        "image/avif",
      ]) {
        const headers = await headersOf(Buffer.from(bytes, "latin1"), type);
        expectHarmless(headers);
        expect(headers["content-disposition"], type).to.match(/^attachment; /);
      }
  });

  it("row 71: two files in one are the first of them, and nothing is guessed", async () => {
    const headers = await headersOf(Buffer.from(GIFAR, "latin1"), "image/gif");
    expectHarmless(headers);
    expect(headers["content-type"]).to.equal("image/gif");
  });

  it("row 71: a type is never taken from the bytes where it could run", async () => {
    for (const bytes of [
      HTML,
      SVG,
      PDF_JS,
      "<?xml version='1.0'?>",
      "GIF89a",
    ]) {
      const headers = await headersOf(bytes);
      expectHarmless(headers);
      expect(essenceOf(String(headers["content-type"]))).to.be.oneOf([
        ...["text/plain", "application/pdf", "image/gif"],
      ]);
    }
  });

  it("row 71: names and types add no header", async () => {
    const mediaId = await upload(alice, "text", "text/plain", 'a"\r\nX-Own: 1');
    const { headers } = await alice.get(downloadPath(mediaId));
    expect(headers).not.to.have.property("x-own");
    const named = await alice.get(
      `${downloadPath(mediaId)}/${encodeURIComponent("b\r\nX-Own: 1")}`,
    );
    expect(named.headers).not.to.have.property("x-own");
    expect(named.headers["content-disposition"]).to.equal(
      'inline; filename="b__X-Own: 1"',
    );
  });

  it("Tuwunel 1.9.0: a type counts by what it says, not by its case", async () => {
    const shown = await headersOf("text", "TEXT/PLAIN; Charset=UTF-8");
    expect(shown["content-disposition"]).to.match(/^inline/);
    const saved = await headersOf("text", "tExT/hTmL");
    expect(saved["content-disposition"]).to.match(/^attachment/);
  });

  it("C9 CVE-2021-41281: ids lead to no other place, and all bytes stand in the store under names of chance", async () => {
    const names = [
      ...["..%2f..%2fkeys%2fpepper", "..%5c..%5ckeys", "%2fetc%2fpasswd"],
      ...[
        "a%2fb",
        "%5c%5chost%5cshare",
        "C%3a%5c",
        "a.b",
        "%2e%2e%2fa",
        "%c3%a9",
      ],
    ];
    for (const name of names)
      for (const target of [
        `/_matrix/client/v1/media/download/test/${name}`,
        `/_matrix/client/v1/media/thumbnail/test/${name}?width=1&height=1`,
        `/_matrix/media/v3/download/test/${name}`,
      ]) {
        const { body, status } = await alice.get(target);
        expect([status, body["errcode"]], target).to.deep.equal([
          ...[400, "M_INVALID_PARAM"],
        ]);
      }
    for (const name of names) {
      const target = `/_matrix/client/v1/media/download/${name}/a`;
      expect((await alice.get(target)).status).to.be.oneOf([400, 404]);
    }
    await upload(alice, "text", "text/plain", "../../../outside");
    for (const file of await listFiles(server.mediaFolder))
      expect(file.slice(server.mediaFolder.length)).to.match(
        /^\/([0-9a-f]{2})\/\1[0-9a-f]{38}$/,
      );
  });

  it("CVE-2024-53863 CVE-2024-56515: what is no image by its own bytes never reaches a decoder", async () => {
    const edges: Edges = {
      ...server.edges,
      thumbnailer: {
        make: () => Promise.reject(new Error("The decoder was asked.")),
        close: () => Promise.resolve(),
      },
    };
    for (const [bytes, type] of [
      [SVG, "image/png"],
      ["%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/jpeg"],
      ["II*\0\x10\0\0\0", "image/tiff"],
      ["\0\0\0\x1cftypheic", "image/avif"],
      [HTML, "image/gif"],
      ["text", undefined],
    ] as const) {
      const mediaId = await upload(alice, Buffer.from(bytes, "latin1"), type);
      const failure = await failureOf(
        getThumbnail(edges, {
          ...{ serverName: "test", mediaId, timeoutMs: 0, isLegacy: false },
          ...{ width: 32, height: 32, method: "scale", isAnimated: false },
          signal: () => new AbortController().signal,
        }),
      );
      expect(failure).to.have.property("errcode", "M_UNKNOWN");
      const wish = { width: 32, height: 32 };
      const { status } = await alice.get(thumbnailPath(mediaId, wish));
      expect(status).to.equal(400);
    }
  });

  it("CVE-2024-52805 GHSA-6wjm-9p2x-gvpm: a form is bytes and nothing else, however its type is spelled", async () => {
    const form = Buffer.from(
      '--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\ntext\r\n--x--\r\n',
    );
    for (const type of [
      "multipart/form-data; boundary=x",
      "MuLtIpArT/fOrM-dAtA; BoUnDaRy=x",
      "MULTIPART/MIXED; boundary=x",
    ]) {
      const mediaId = await upload(alice, form, type);
      const { bytes } = await alice.get(downloadPath(mediaId));
      expect(bytes.equals(form), type).to.equal(true);
      const headers = { "content-type": type };
      const asked = await alice.ask("POST", "/createRoom", form, { headers });
      expect([asked.status, asked.body["errcode"]], type).to.deep.equal([
        ...[400, "M_NOT_JSON"],
      ]);
      const large = Buffer.concat([form, Buffer.alloc(1_000_000)]);
      const cut = await alice.ask("POST", "/createRoom", large, { headers });
      expect([cut.status, cut.body["errcode"]], type).to.deep.equal([
        ...[413, "M_TOO_LARGE"],
      ]);
    }
  });

  it("row 70 CVE-2021-29453: an image of too many pixels gets no thumbnail, and says so", async () => {
    const mediaId = await upload(alice, await imageOf(6000, 6000), "image/png");
    const wish = { width: 32, height: 32 };
    for (let i = 0; i < 2; i += 1) {
      const { body, status } = await alice.get(thumbnailPath(mediaId, wish));
      expect([status, body["errcode"]]).to.deep.equal([413, "M_TOO_LARGE"]);
    }
    expect((await alice.get(downloadPath(mediaId))).status).to.equal(200);
  });

  it("row 70: sizes that are asked for make no more than ten thumbnails of a file", async () => {
    const mediaId = await uploadImage(alice);
    for (const width of [
      1, 31, 32, 33, 95, 97, 500, 801, 9_007_199_254_740_991,
    ])
      for (const method of ["crop", "scale"])
        must(
          await alice.get(thumbnailPath(mediaId, { width, height: 1, method })),
        );
    const [made] = await server.database.sql`
      select count(*)::int as n from media_blobs t join media m on m.blob_id = t.origin_blob_id
      where m.media_id = ${mediaId}`;
    expect(made!["n"]).to.be.at.most(10);
  });

  it("row 74 CVE-2024-37302 CVE-2024-37303 CVE-2024-36402 CVE-2024-36403: strangers cause nothing to be fetched, made or kept", async () => {
    const mediaId = await uploadImage(alice);
    const { sql } = server.database;
    const before = [
      await listFiles(server.mediaFolder),
      await sql`select * from media_blobs`,
    ];
    for (const name of ["test", "other.example", "127.0.0.1:1", "[::1]:1"])
      for (const target of [
        `/_matrix/media/v3/download/${name}/${mediaId}`,
        `/_matrix/media/v3/thumbnail/${name}/${mediaId}?width=96&height=96`,
        `/_matrix/client/v1/media/download/${name}/${mediaId}`,
        `/_matrix/client/v1/media/thumbnail/${name}/${mediaId}?width=96&height=96`,
      ]) {
        const { status } = await server.get(target);
        expect(status, target).to.be.oneOf([401, 404]);
      }
    for (const [method, target] of [
      ["POST", "/_matrix/media/v3/upload"],
      ["POST", "/_matrix/media/v1/create"],
      ["PUT", `/_matrix/media/v3/upload/test/${mediaId}`],
    ] as const)
      expect((await server.ask(method, target, "text")).status).to.equal(401);
    expect([
      await listFiles(server.mediaFolder),
      await sql`select * from media_blobs`,
    ]).to.deep.equal(before);
  });
});

describe("floods of media", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.media.burst": 3,
    "rate_limits.media.per_second": 0.001,
    "media.legacy_downloads": "on",
  });

  it("C9 row 63: downloads are counted for each user, and for each address without one", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const mediaId = await uploadImage(alice);
    const ask = async (client: Pick<TestUser, "get">, target: string) => {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i += 1)
        statuses.push((await client.get(target)).status);
      return statuses;
    };
    const target = downloadPath(mediaId);
    expect(await ask(alice, target)).to.deep.equal([200, 200, 200, 429]);
    expect(await ask(bob, target)).to.deep.equal([200, 200, 200, 429]);
    const legacy = `/_matrix/media/v3/download/test/${mediaId}`;
    expect(await ask(server, legacy)).to.deep.equal([200, 200, 200, 429]);
  });
});

describe("downloads of much", () => {
  const KIB = 1024;
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.media_traffic.burst": 300,
    "rate_limits.media_traffic.per_second": 0.001,
    "media.legacy_downloads": "on",
  });

  it("row 74 C9: are refused to who has had too many bytes, in every process, by user and by address", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const other = await server.startProcess();
    const mediaId = await upload(alice, Buffer.alloc(200 * KIB, 7));
    const target = downloadPath(mediaId);
    const legacy = `/_matrix/media/v3/download/test/${mediaId}`;
    const tokensOf = async () =>
      server.database.sql<{ tokens: number }[]>`
        select tokens from rate_limits where tokens < 0`;
    const assertRefused = async (client: Pick<TestUser, "get">, at: string) => {
      const { status, body } = await client.get(at);
      expect(status).to.equal(429);
      expect(body["errcode"]).to.equal("M_LIMIT_EXCEEDED");
      expect(body["retry_after_ms"]).to.be.above(0);
    };
    for (const [client, at, owing] of [
      [alice, target, 1],
      [server, legacy, 2],
    ] as const) {
      // What is the same as before costs nothing, nor do the headers alone.
      const { headers } = await client.ask("HEAD", at);
      const known = { "if-none-match": String(headers["etag"]) };
      for (let n = 0; n < 3; n += 1)
        expect((await client.get(at, { headers: known })).status).to.equal(304);
      for (let n = 0; n < 2; n += 1)
        expect((await client.get(at)).bytes.length).to.equal(200 * KIB);
      await until(async () => (await tokensOf()).length === owing);
      await assertRefused(client, at);
    }
    await assertRefused(other.as(alice), target);
    expect((await bob.get(target)).status).to.equal(200);
    const rows = await tokensOf();
    // Two files of 200 out of 300, and what asking takes.
    for (const { tokens } of rows) expect(tokens).to.be.within(-115, -100);
  });
});

describe("the scanner of files", () => {
  const faults: string[] = [];
  const log: Log = { ...quiet, error: (_, message) => faults.push(message) };
  const settings: Record<string, unknown> = {
    "egress.allow": ["127.0.0.1"],
  };
  let scanner: Server;
  let verdict = 200;
  const scanned: { body: string; type: string | undefined }[] = [];

  before("start a scanner", async () => {
    scanner = createServer((request, response) => {
      void collect(request).then((body) => {
        const type = request.headers["content-type"];
        scanned.push({ body: body.toString(), type });
        response.writeHead(verdict).end("secret words of the scanner");
      });
    });
    await new Promise<void>((done) => scanner.listen(0, "127.0.0.1", done));
    const { port } = scanner.address() as AddressInfo;
    settings["media.scan_url"] = `http://127.0.0.1:${port}/scan`;
  });
  after(() => {
    scanner.closeAllConnections();
    scanner.close();
  });
  const server = useServer(settings, log);
  let alice: TestUser;
  before(async () => {
    alice = await server.user("alice");
  });
  beforeEach(() => {
    scanned.length = 0;
    verdict = 200;
  });

  it("sees each file before it is first delivered, and once", async () => {
    const mediaId = await upload(alice, "some words", "text/plain");
    expect(scanned).to.deep.equal([]);
    for (let i = 0; i < 2; i += 1)
      expect((await alice.get(downloadPath(mediaId))).text).to.equal(
        "some words",
      );
    expect(scanned).to.deep.equal([{ body: "some words", type: "text/plain" }]);
  });

  it("refuses a file for good, its thumbnails too", async () => {
    verdict = 406;
    const mediaId = await upload(alice, await imageOf(40, 40), "image/png");
    for (const target of [
      downloadPath(mediaId),
      thumbnailPath(mediaId, { width: 32, height: 32 }),
    ]) {
      const { body, status } = await alice.get(target);
      expect([status, body["errcode"]]).to.deep.equal([403, "M_FORBIDDEN"]);
      verdict = 200;
    }
    expect(scanned).to.have.length(1);
  });

  it("C16: lets nothing pass while it cannot answer, and nothing of what it says", async () => {
    verdict = 401;
    const mediaId = await upload(alice, "other words");
    const { body, status, text } = await alice.get(downloadPath(mediaId));
    expect([status, body["errcode"]]).to.deep.equal([
      ...[502, "M_CONNECTION_FAILED"],
    ]);
    expect(text).not.to.include("secret words");
    expect(faults).to.deep.equal(["the scanner of files does not answer"]);
    verdict = 200;
    expect((await alice.get(downloadPath(mediaId))).text).to.equal(
      "other words",
    );
  });
});

describe("a scanner of files that speaks ICAP", () => {
  const icap = useIcapServer();
  const settings: Record<string, unknown> = {
    "egress.allow": ["127.0.0.1"],
  };
  before(() => (settings["media.scan_url"] = icap.url));
  const server = useServer(settings);
  let alice: TestUser;
  before(async () => {
    alice = await server.user("alice");
  });

  it("sees each file before it is first delivered, and once", async () => {
    icap.behave({ options: ["Preview: 4"] });
    const mediaId = await upload(alice, "some words", "text/plain");
    for (let i = 0; i < 2; i += 1)
      expect((await alice.get(downloadPath(mediaId))).text).to.equal(
        "some words",
      );
    const scanned = icap.asked.filter(({ method }) => method === "RESPMOD");
    expect(scanned).to.have.length(1);
    expect(scanned[0]).to.include({ preview: "some", body: "some words" });
    expect(scanned[0]!.encapsulated).to.include(`/download/test/${mediaId} `);
  });

  it("refuses a file for good, its thumbnails too", async () => {
    icap.behave({ onWhole: () => replaced({ status: 403 }) });
    const mediaId = await upload(alice, await imageOf(40, 40), "image/png");
    for (const target of [
      downloadPath(mediaId),
      thumbnailPath(mediaId, { width: 32, height: 32 }),
    ]) {
      const { body, status } = await alice.get(target);
      expect([status, body["errcode"]]).to.deep.equal([403, "M_FORBIDDEN"]);
      icap.behave({});
    }
  });

  it("C16: lets nothing pass while it cannot answer, and nothing of what it says", async () => {
    icap.behave({ onWhole: () => "ICAP/1.0 500 secret words\r\n\r\n" });
    const mediaId = await upload(alice, "other words");
    const { body, status, text } = await alice.get(downloadPath(mediaId));
    expect([status, body["errcode"]]).to.deep.equal([
      ...[502, "M_CONNECTION_FAILED"],
    ]);
    expect(text).not.to.include("secret words");
    icap.behave({});
    expect((await alice.get(downloadPath(mediaId))).text).to.equal(
      "other words",
    );
  });
});
