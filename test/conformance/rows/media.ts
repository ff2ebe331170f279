import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, text } from "../harness/json.ts";
import {
  AUTHENTICATED,
  download,
  downloadPath,
  type Endpoints,
  LEGACY,
  partsOf,
  PNG,
  upload,
} from "../harness/media.ts";
import { row, shared } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";

row("csapi", "TestMediaConfig", "", async (server) => {
  const alice = await server.user("alice");
  const body = await alice.mustGet("/_matrix/client/v1/media/config");
  expect(body["m.upload.size"]).to.be.a("number").above(0);
});

const isAsUploaded = (test: string, from: Endpoints) => {
  row("csapi", test, "", async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const uri = await upload(alice, PNG, "image/png", "test.png");
    const answer = await download(bob, uri, undefined, from);
    expect(answer.headers.get("content-type")).to.equal("image/png");
    expect(answer.bytes.equals(PNG)).to.equal(true);
  });
};

isAsUploaded("TestContentCSAPIMediaV1", AUTHENTICATED);
isAsUploaded("TestContent", LEGACY);

const asynchronous = shared(async (server: Server) => {
  const alice = await server.user("alice");
  const created = await alice.mustPost("/_matrix/media/v1/create");
  const uri = partsOf(created["content_uri"]);
  const early = await alice.get(downloadPath(uri), { timeout_ms: 10 });
  const put = () =>
    alice.request("PUT", path`/_matrix/media/v3/upload/${uri[0]}/${uri[1]}`, {
      body: PNG,
      headers: { "content-type": "image/png" },
    });
  return { alice, created, uri, early, first: await put(), again: await put() };
});

row("csapi", "TestAsyncUpload", "Create media", async (server) => {
  const { alice, created, uri } = await asynchronous(server);
  expect(uri[0]).to.equal(alice.serverName);
  const expires = created["unused_expires_at"];
  if (expires !== undefined) expect(expires).to.be.above(Date.now());
});

row("csapi", "TestAsyncUpload", "Not yet uploaded", async (server) => {
  const { early } = await asynchronous(server);
  expectError(early, 504, "M_NOT_YET_UPLOADED");
});

row("csapi", "TestAsyncUpload", "Upload media", async (server) => {
  const { first } = await asynchronous(server);
  expect(first.status, first.raw).to.equal(200);
});

row(
  "csapi",
  "TestAsyncUpload",
  "Cannot upload to a media ID that has already been uploaded to",
  async (server) => {
    const { again } = await asynchronous(server);
    expectError(again, 409, "M_CANNOT_OVERWRITE_MEDIA");
  },
);

for (const [name, from] of [
  ["Download media", LEGACY],
  ["Download media over  matrix/client/v1/media/download", AUTHENTICATED],
] as const)
  row("csapi", "TestAsyncUpload", name, async (server) => {
    const { alice, uri } = await asynchronous(server);
    const answer = await download(alice, uri, undefined, from);
    expect(answer.headers.get("content-type")).to.equal("image/png");
    expect(answer.bytes.equals(PNG)).to.equal(true);
  });

/** Whether a file begins as PNG or JPEG does. */
const isImage = (bytes: Buffer): boolean =>
  /^(89504e470d0a1a0a|ffd8ff)/.test(bytes.subarray(0, 8).toString("hex"));

for (const [name, from] of [
  ["test / matrix/client/v1/media endpoint", AUTHENTICATED],
  ["test / matrix/media/v3 endpoint", LEGACY],
] as const)
  row("general", "TestLocalPngThumbnail", name, async (server) => {
    const alice = await server.user("alice");
    const [host, id] = await upload(alice, PNG, "image/png", "test.png");
    const answer = await alice.request(
      "GET",
      `${from}/thumbnail${path`/${host}/${id}`}`,
      {
        query: { width: 32, height: 32, method: "scale" },
        token: from === LEGACY ? null : undefined,
      },
    );
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.headers.get("content-type")).to.match(/^image\/(png|jpeg)$/);
    expect(isImage(answer.bytes)).to.equal(true);
  });

row("csapi", "TestRoomImageRoundtrip", "", async (server) => {
  const alice = await server.user("alice");
  const [name, id] = await upload(alice, PNG, "image/png", "test.png");
  const url = `mxc://${name}/${id}`;
  const roomId = await alice.createRoom();
  const eventId = await alice.send(roomId, "m.room.message", {
    ...{ msgtype: "m.image", body: "test.png", url },
    info: { mimetype: "image/png", w: 1, h: 1, size: PNG.length },
  });
  const event = await alice.mustGet(path`/rooms/${roomId}/event/${eventId}`);
  expect(at(event, "content", "url")).to.equal(url);
  const file = await download(alice, partsOf(text(event, "content", "url")));
  expect(file.bytes.equals(PNG)).to.equal(true);
});
