import { expectError, path, type Answer } from "../harness/client.ts";
import { row, shared } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

/** A red pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
  "base64",
);

const UPLOAD = "/_matrix/media/v3/upload";

function assert(isTrue: boolean, message: string): void {
  if (!isTrue) throw new Error(message);
}

/** The server and the id of an mxc URI. */
function partsOf(uri: unknown): [string, string] {
  const [, server = "", id = ""] =
    /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(String(uri)) ?? [];
  assert(id !== "", `no mxc URI: ${String(uri)}`);
  return [server, id];
}

const post = (
  user: User,
  body: Uint8Array,
  type: string,
  filename?: string,
): Promise<Answer> =>
  user.request("POST", UPLOAD, {
    body,
    query: { filename },
    headers: { "content-type": type },
  });

async function upload(
  user: User,
  body: Uint8Array,
  type: string,
  filename?: string,
): Promise<[string, string]> {
  const answer = await post(user, body, type, filename);
  assert(answer.status === 200, `no upload: ${answer.raw}`);
  return partsOf(answer.body["content_uri"]);
}

const downloadPath = ([server, id]: [string, string], name?: string) =>
  path`/_matrix/client/v1/media/download/${server}/${id}` +
  (name === undefined ? "" : path`/${name}`);

async function download(
  user: User,
  uri: [string, string],
  name?: string,
): Promise<Answer> {
  const answer = await user.get(downloadPath(uri, name));
  assert(answer.status === 200, `no download: ${answer.status} ${answer.raw}`);
  return answer;
}

/** What the Content-Disposition says, its name decoded. */
function dispositionOf({ headers }: Answer): { kind: string; name: string } {
  const header = headers.get("content-disposition") ?? "";
  const [kind = ""] = header.split(";");
  const [, extended] = /filename\*=utf-8''([^;]+)/i.exec(header) ?? [];
  const [, quoted] = /filename="((?:[^"\\]|\\.)*)"/.exec(header) ?? [];
  const [, bare] = /filename=([^";]+)/.exec(header) ?? [];
  const name =
    extended === undefined
      ? (quoted ?? bare ?? "").replace(/\\(.)/g, "$1")
      : decodeURIComponent(extended);
  return { kind: kind.trim(), name };
}

row("csapi", "TestMediaConfig", "", async (server) => {
  const alice = await server.user("alice");
  const body = await alice.mustGet("/_matrix/client/v1/media/config");
  const size = body["m.upload.size"];
  assert(typeof size === "number" && size > 0, `no size: ${String(size)}`);
});

row("csapi", "TestContentCSAPIMediaV1", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const uri = await upload(alice, PNG, "image/png", "test.png");
  const answer = await download(bob, uri);
  const type = answer.headers.get("content-type");
  assert(type === "image/png", `the type is ${type}`);
  assert(
    answer.raw === Buffer.from(PNG).toString(),
    "the file is not what was uploaded",
  );
});

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
  const { created } = await asynchronous(server);
  partsOf(created["content_uri"]);
});

row("csapi", "TestAsyncUpload", "Not yet uploaded", async (server) => {
  const { early } = await asynchronous(server);
  expectError(early, 504, "M_NOT_YET_UPLOADED");
});

row("csapi", "TestAsyncUpload", "Upload media", async (server) => {
  const { first } = await asynchronous(server);
  assert(first.status === 200, `no upload: ${first.raw}`);
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

for (const name of [
  "Download media",
  "Download media over  matrix/client/v1/media/download",
])
  row("csapi", "TestAsyncUpload", name, async (server) => {
    const { alice, uri } = await asynchronous(server);
    const { headers } = await download(alice, uri);
    const type = headers.get("content-type");
    assert(type === "image/png", `the type is ${type}`);
  });

row(
  "general",
  "TestLocalPngThumbnail",
  "test / matrix/client/v1/media endpoint",
  async (server) => {
    const alice = await server.user("alice");
    const [name, id] = await upload(alice, PNG, "image/png", "test.png");
    const answer = await alice.get(
      path`/_matrix/client/v1/media/thumbnail/${name}/${id}`,
      { width: 32, height: 32, method: "scale" },
    );
    assert(answer.status === 200, `no thumbnail: ${answer.raw}`);
    const type = answer.headers.get("content-type") ?? "";
    assert(/^image\/(png|jpeg)$/.test(type), `the type is ${type}`);
    assert(answer.raw.length > 0, "the thumbnail is empty");
  },
);

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
  const content = event["content"] as { url?: unknown };
  assert(content.url === url, `the event names ${String(content.url)}`);
  await download(alice, partsOf(content.url));
});

const own = (name: string, run: (user: User) => Promise<void>) =>
  row("myelin", "media", name, async (server) =>
    run(await server.user("alice")),
  );

for (const [what, name] of [
  ["an ASCII name", "ascii"],
  ["a name with spaces", "name with spaces"],
  ["a name with semicolons", "name;with;semicolons"],
  ["a Unicode name", "\u2615"],
] as const)
  own(`${what} comes back with the file`, async (alice) => {
    const uri = await upload(alice, PNG, "image/png", name);
    const found = dispositionOf(await download(alice, uri)).name;
    assert(found === name, `the name is ${found}`);
    const other = `other ${name}`;
    const named = dispositionOf(await download(alice, uri, other)).name;
    assert(named === other, `the name is ${named}`);
  });

own("a file without a name has none", async (alice) => {
  const uri = await upload(alice, PNG, "image/png");
  const { name } = dispositionOf(await download(alice, uri));
  assert(name === "", `the name is ${name}`);
});

for (const [type, kind] of [
  ["image/png", "inline"],
  ["text/Plain; charset=utf-8", "inline"],
  ["text/html", "attachment"],
  ["image/svg+xml", "attachment"],
] as const)
  own(`a file of ${type} is served as ${kind}`, async (alice) => {
    const uri = await upload(alice, PNG, type, "name");
    const found = dispositionOf(await download(alice, uri));
    assert(found.kind === kind, `it is served as ${found.kind}`);
  });

own("a file is served to nobody without a token", async (alice) => {
  const uri = await upload(alice, PNG, "image/png");
  const answer = await alice.request("GET", downloadPath(uri), { token: null });
  expectError(answer, 401, "M_MISSING_TOKEN");
});
