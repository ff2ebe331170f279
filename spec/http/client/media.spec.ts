import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { expect } from "chai";
import { failureOf } from "../../support/collect.ts";
import {
  downloadPath,
  imageOf,
  listFiles,
  mediaIdOf,
  thumbnailPath,
  upload,
  uploadImage,
} from "../../support/media.ts";
import { must } from "../../support/rooms.ts";
import { until } from "../../support/until.ts";
import {
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";

const UPLOAD = "/_matrix/media/v3/upload";
const CREATE = "/_matrix/media/v1/create";

describe("media", () => {
  const server = useServer({ "media.max_upload_bytes": 3_000_000 });
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("tells how large a file may be", async () => {
    for (const path of [
      "/_matrix/client/v1/media/config",
      "/_matrix/media/v3/config",
      "/_matrix/media/r0/config",
    ])
      expect(must(await alice.get(path))).to.deep.equal({
        "m.upload.size": 3_000_000,
      });
  });

  it("gives anybody who is logged in what was uploaded, with its type and name", async () => {
    const file = randomBytes(200_000);
    const mediaId = await upload(alice, file, "video/mp4", "my film.mp4");
    for (const user of [alice, bob]) {
      const { bytes, headers, status } = await user.get(downloadPath(mediaId));
      expect(status).to.equal(200);
      expect(bytes.equals(file)).to.equal(true);
      expect(headers).to.include({
        "content-type": "video/mp4",
        "content-disposition": 'inline; filename="my film.mp4"',
        "content-length": "200000",
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=31536000, immutable",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
      });
      expect(headers["content-security-policy"]).to.match(
        /^sandbox; default-src 'none'; script-src 'none';/,
      );
    }
  });

  it("takes the name of the path before the uploader's", async () => {
    const mediaId = await upload(alice, "text", "text/plain", "a.txt");
    const { headers } = await bob.get(`${downloadPath(mediaId)}/%E2%98%95.txt`);
    expect(headers["content-disposition"]).to.equal(
      "inline; filename=\"_.txt\"; filename*=utf-8''%E2%98%95.txt",
    );
  });

  it("looks at the bytes where no type is told, or none that is one", async () => {
    const typeOf = async (bytes: Buffer | string, type?: string) => {
      const mediaId = await upload(alice, bytes, type);
      const { headers } = await alice.get(downloadPath(mediaId));
      return headers["content-type"];
    };
    expect(await typeOf(await imageOf(3, 3))).to.equal("image/png");
    expect(await typeOf("<html>")).to.equal("text/plain");
    expect(await typeOf(Buffer.from([0, 1, 2]))).to.equal(
      "application/octet-stream",
    );
    expect(await typeOf("words", "nonsense")).to.equal("text/plain");
  });

  it("keeps an empty file", async () => {
    const mediaId = await upload(alice, "", "text/plain");
    const { bytes, headers, status } = await alice.get(downloadPath(mediaId));
    expect([status, bytes.length]).to.deep.equal([200, 0]);
    expect(headers["content-length"]).to.equal("0");
  });

  it("answers HEAD with the headers alone", async () => {
    const mediaId = await upload(alice, "some text", "text/plain");
    const answer = await alice.ask("HEAD", downloadPath(mediaId));
    expect([answer.status, answer.text]).to.deep.equal([200, ""]);
    expect(answer.headers["content-length"]).to.equal("9");
  });

  describe("parts of a file", () => {
    const file = randomBytes(300_000);
    let target: string;
    let tag: string;
    before(async () => {
      target = downloadPath(await upload(alice, file, "video/mp4"));
      tag = String((await alice.get(target)).headers.etag);
    });
    const ask = (headers: Record<string, string>) =>
      alice.get(target, { headers });

    it("are given on their own", async () => {
      for (const [range, start, end] of [
        ["bytes=0-0", 0, 1],
        ["bytes=65530-65545", 65_530, 65_546],
        ["bytes=-5", 299_995, 300_000],
        ["bytes=131072-", 131_072, 300_000],
      ] as const) {
        const { bytes, headers, status } = await ask({ range });
        expect(status).to.equal(206);
        expect(headers["content-range"]).to.equal(
          `bytes ${start}-${end - 1}/300000`,
        );
        expect(bytes.equals(file.subarray(start, end)), range).to.equal(true);
      }
    });

    it("are refused where the file does not have them", async () => {
      const { body, headers, status } = await ask({ range: "bytes=300000-" });
      expect(status).to.equal(416);
      expect(headers["content-range"]).to.equal("bytes */300000");
      expect(body["errcode"]).to.equal("M_INVALID_PARAM");
    });

    it("are the whole where the file is another than the client has", async () => {
      const range = "bytes=0-9";
      const other = await ask({ range, "if-range": '"other"' });
      expect([other.status, other.bytes.length]).to.deep.equal([200, 300_000]);
      const same = await ask({ range, "if-range": tag });
      expect([same.status, same.bytes.length]).to.deep.equal([206, 10]);
    });

    it("are not sent at all where the client has them", async () => {
      for (const known of [tag, `"x", W/${tag}`, "*"]) {
        const answer = await ask({ "if-none-match": known });
        expect([answer.status, answer.text]).to.deep.equal([304, ""]);
        expect(answer.headers.etag).to.equal(tag);
      }
      expect((await ask({ "if-none-match": '"other"' })).status).to.equal(200);
    });
  });

  it("refuses a file that is too large, whether its size is told or not, and keeps nothing of it", async () => {
    const before = await listFiles(server.mediaFolder);
    const told = await alice.ask("POST", UPLOAD, Buffer.alloc(3_000_001));
    expect([told.status, told.body["errcode"]]).to.deep.equal([
      ...[413, "M_TOO_LARGE"],
    ]);
    const untold = await uploadUntold(server, alice, 3_000_001);
    expect(untold).to.match(/^HTTP\/1.1 413 [^]*M_TOO_LARGE/);
    const within = await uploadUntold(server, alice, 2_999_999);
    expect(within).to.match(/^HTTP\/1.1 200 /);
    const after = await listFiles(server.mediaFolder);
    expect(after).to.have.length(before.length + 1);
    const [left] = await server.database
      .sql`select count(*)::int as n from media_blobs where state <> 'stored'`;
    expect(left).to.deep.equal({ n: 0 });
  });

  it("keeps nothing of an upload whose client went away", async () => {
    const before = await listFiles(server.mediaFolder);
    const controller = new AbortController();
    const { signal } = controller;
    const headers = { "content-length": "2000000" };
    const asked = failureOf(
      alice.ask("POST", UPLOAD, Buffer.alloc(1_000_000), { headers, signal }),
    );
    await until(async () => {
      const [row] = await server.database
        .sql`select count(*)::int as n from media_blobs where state = 'writing'`;
      return row!["n"] === 1;
    });
    controller.abort();
    await asked;
    await until(async () => {
      const [row] = await server.database
        .sql`select count(*)::int as n from media_blobs where state <> 'stored'`;
      return row!["n"] === 0;
    });
    expect(await listFiles(server.mediaFolder)).to.deep.equal(before);
  });

  it("knows no file of others, and none that is not there", async () => {
    const mediaId = await upload(alice, "text");
    for (const target of [
      downloadPath("absent"),
      downloadPath(mediaId).replace("/test/", "/other.example/"),
      thumbnailPath("absent", { width: 1, height: 1 }),
    ]) {
      const { body, status } = await alice.get(target);
      expect([status, body["errcode"]]).to.deep.equal([404, "M_NOT_FOUND"]);
    }
  });

  it("knows no other name for it", async () => {
    const mediaId = await upload(alice, "text");
    for (const target of [
      downloadPath(mediaId.toLowerCase()),
      downloadPath(`${mediaId}x`),
    ])
      expect((await alice.get(target)).status).to.equal(404);
  });

  describe("ids that are given out before the file is there", () => {
    const create = async (user: TestUser) => must(await user.post(CREATE));
    const put = (user: TestUser, mediaId: string, text = "text") =>
      user.ask("PUT", `${UPLOAD}/test/${mediaId}`, text, {
        headers: { "content-type": "text/plain" },
      });

    it("take a file once, of whom they were given to", async () => {
      const begun = Date.now();
      const created = await create(alice);
      expect(created["unused_expires_at"]).to.be.within(
        begun + 86_400_000,
        Date.now() + 86_400_000,
      );
      const mediaId = mediaIdOf(created);
      const foreign = await put(bob, mediaId);
      expect([foreign.status, foreign.body["errcode"]]).to.deep.equal([
        ...[403, "M_FORBIDDEN"],
      ]);
      expect((await put(alice, mediaId)).body).to.deep.equal({});
      const again = await put(alice, mediaId, "other");
      expect([again.status, again.body["errcode"]]).to.deep.equal([
        ...[409, "M_CANNOT_OVERWRITE_MEDIA"],
      ]);
      expect((await bob.get(downloadPath(mediaId))).text).to.equal("text");
    });

    it("are the only ones that a file can be put to", async () => {
      const uploaded = await upload(alice, "text");
      expect((await put(alice, uploaded)).status).to.equal(409);
      expect((await put(alice, "absent")).body["errcode"]).to.equal(
        "M_NOT_FOUND",
      );
      const mediaId = mediaIdOf(await create(alice));
      const elsewhere = await alice.ask(
        "PUT",
        `${UPLOAD}/other.example/${mediaId}`,
        "text",
      );
      expect(elsewhere.status).to.equal(404);
    });

    it("are answered when the time to wait is over", async () => {
      const mediaId = mediaIdOf(await create(bob));
      for (const target of [
        `${downloadPath(mediaId)}?timeout_ms=0`,
        thumbnailPath(mediaId, { width: 1, height: 1, timeout_ms: 0 }),
      ]) {
        const { body, status } = await alice.get(target);
        expect([status, body["errcode"]]).to.deep.equal([
          ...[504, "M_NOT_YET_UPLOADED"],
        ]);
      }
    });

    it("are waited for in any process", async () => {
      const other: TestProcess = await server.startProcess();
      const mediaId = mediaIdOf(await create(bob));
      const waiting = [other.as(alice), alice].map((user) =>
        user.get(downloadPath(mediaId)),
      );
      must(await put(bob, mediaId, "at last"));
      for (const answer of await Promise.all(waiting))
        expect(answer.text).to.equal("at last");
    });

    it("row 75: end, and are limited", async () => {
      const carol = await server.user("carol");
      const { sql } = server.database;
      const made = [];
      for (let i = 0; i < 5; i += 1) made.push(mediaIdOf(await create(carol)));
      const more = await carol.post(CREATE);
      expect([more.status, more.body["errcode"]]).to.deep.equal([
        ...[429, "M_LIMIT_EXCEEDED"],
      ]);
      expect(more.body["retry_after_ms"]).to.be.above(86_000_000);
      must(await put(carol, made[0]!));
      await create(carol);
      await sql`update media set expires_ts = 1 where media_id = ${made[1]!}`;
      await create(carol);
      const late = await put(carol, made[1]!);
      expect([late.status, late.body["errcode"]]).to.deep.equal([
        ...[404, "M_NOT_FOUND"],
      ]);
      expect((await carol.get(downloadPath(made[1]!))).status).to.equal(404);
    });

    it("row 75: are no more than that when many are asked for at once", async () => {
      const dora = await server.user("dora");
      const asked = Array.from({ length: 12 }, () => dora.post(CREATE));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.filter((each) => each === 200)).to.have.length(5);
    });

    it("take one of two files that are put at once", async () => {
      const mediaId = mediaIdOf(await create(alice));
      const answers = await Promise.all(
        ["one", "two", "three"].map((text) => put(alice, mediaId, text)),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses).to.deep.equal([200, 409, 409]);
    });
  });

  it("shows pictures where a picture was uploaded without a session's token in the path", async () => {
    const mediaId = await uploadImage(alice);
    const { status } = await server.get(downloadPath(mediaId));
    expect(status).to.equal(401);
  });
});

describe("downloads without authentication", () => {
  const open = useServer({ "media.legacy_downloads": "on" });

  const legacy = (mediaId: string) =>
    `/_matrix/media/v3/download/test/${mediaId}`;
  const legacyThumbnail = (mediaId: string) =>
    `/_matrix/media/v3/thumbnail/test/${mediaId}?width=32&height=32&method=crop`;

  it("are open for what is uploaded while they are on", async () => {
    const alice = await open.user("alice");
    const mediaId = await uploadImage(alice);
    for (const target of [
      legacy(mediaId),
      legacy(mediaId).replace("v3", "r0"),
      `${legacy(mediaId)}/name.png?allow_remote=false&allow_redirect=true`,
      legacyThumbnail(mediaId),
    ]) {
      const { headers, status } = await open.get(target);
      expect(status, target).to.equal(200);
      expect(headers["cache-control"]).to.match(/^public, .*immutable$/);
    }
  });

  it("stay open for it when they are frozen, and for nothing later", async () => {
    const alice = await open.user("alice2");
    const before = await uploadImage(alice);
    const frozen = await open.startProcess({
      "media.legacy_downloads": "frozen",
    });
    const { accessToken } = alice;
    const after = await uploadImage(frozen.as({ accessToken }));
    expect((await frozen.get(legacy(before))).status).to.equal(200);
    for (const process of [open, frozen])
      for (const target of [legacy(after), legacyThumbnail(after)]) {
        const { body, status } = await process.get(target);
        expect([status, body["errcode"]]).to.deep.equal([404, "M_NOT_FOUND"]);
      }
    expect((await alice.get(downloadPath(after))).status).to.equal(200);
  });

  it("are closed when they are off", async () => {
    const alice = await open.user("alice3");
    const mediaId = await uploadImage(alice);
    const off = await open.startProcess({ "media.legacy_downloads": "off" });
    for (const target of [legacy(mediaId), legacyThumbnail(mediaId)])
      expect((await off.get(target)).body["errcode"]).to.equal("M_NOT_FOUND");
  });
});

/** Sends a file in chunks, without saying how long it is; answers all that comes back. */
async function uploadUntold(
  { port }: { port: number },
  { accessToken }: TestUser,
  size: number,
): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${accessToken}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      socket.write(`${size.toString(16)}\r\n`);
      socket.write(Buffer.alloc(size));
      socket.write("\r\n0\r\n\r\n");
    });
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}
