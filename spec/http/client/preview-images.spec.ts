import { expect } from "chai";
import { forgetUrlPreviews } from "../../../src/domain/jobs/forget-url-previews.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { downloadPath, imageOf } from "../../support/media.ts";
import { makeRoom, send } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { html, useWeb } from "../../support/web.ts";

const image = (content: string) =>
  html(`<title>t</title><meta property="og:image" content="${content}">`);

describe("images of previews", () => {
  let png: Buffer;
  const pages = {
    "/relative": image("/i.png"),
    "/whole": (response: Parameters<ReturnType<typeof image>>[0]) =>
      image(`${web.url}/i.png?whole`)(response),
    "/card": html(
      `<title>t</title><meta name="twitter:image" content="i.png">`,
    ),
    "/largest": html(
      `<title>t</title><img src="small.png" width="20" height="20"><img src="i.png" width="300" height="200">`,
    ),
    "/icon": html(`<title>t</title><link rel="icon" href="i.png">`),
    "/second": html(
      `<title>t</title><meta property="og:image" content="/gone.png"><meta name="twitter:image" content="/i.png">`,
    ),
    "/none": image("/gone.png"),
    "/svg": image("/i.svg"),
    "/text": image("/liar.png"),
    "/large": image("/large.png"),
    "/no-web": image("data:image/png;base64,AAAA"),
    "/i.svg": html("<svg/>", "image/svg+xml"),
    "/liar.png": html("<html>", "image/png"),
    "/large.png": html(Buffer.alloc(11 * 1024 * 1024), "image/png"),
    "/i.png": (response: Parameters<ReturnType<typeof image>>[0]) =>
      html(png, "application/octet-stream")(response),
    "/direct.png": (response: Parameters<ReturnType<typeof image>>[0]) =>
      html(png, "image/png")(response),
  };
  const web = useWeb(pages);
  const server = useServer({
    "url_previews.enabled": true,
    "egress.allow": ["127.0.0.1"],
    "media.user_quota_bytes": 1_000_000,
  });
  let alice: TestUser;

  before(async () => {
    png = await imageOf(300, 200);
    alice = await server.user("alice");
  });

  const preview = async (path: string, user = alice): Promise<Json> => {
    const url = encodeURIComponent(web.url + path);
    const answer = await user.get(
      `/_matrix/client/v1/media/preview_url?url=${url}`,
    );
    expect(answer.status, answer.text).to.equal(200);
    return answer.body;
  };

  const mediaIdIn = (body: Json): string => {
    const [, mediaId] = /^mxc:\/\/test\/(\w+)$/.exec(String(body["og:image"]))!;
    return mediaId!;
  };

  it("are files of this server, with their sizes", async () => {
    const { "og:image": mxc, ...others } = await preview("/relative");
    expect(others).to.deep.equal({
      "og:title": "t",
      "og:image:type": "image/png",
      "og:image:width": 300,
      "og:image:height": 200,
      "matrix:image:size": png.length,
    });
    const mediaId = mediaIdIn({ "og:image": mxc });
    const { bytes, headers } = await alice.get(downloadPath(mediaId));
    expect(bytes.equals(png)).to.equal(true);
    expect(headers["content-type"]).to.equal("image/png");
  });

  for (const path of [
    "/whole",
    "/card",
    "/largest",
    "/icon",
    "/second",
    "/direct.png",
  ])
    it(`are found at ${path}`, async () => {
      const body = await preview(path);
      expect(body).to.include({ "og:image:width": 300 });
      expect(mediaIdIn(body)).to.have.length.above(10);
    });

  for (const path of ["/none", "/svg", "/text", "/large", "/no-web"])
    it(`are left out where they are none: ${path}`, async () => {
      expect(await preview(path)).to.deep.equal({ "og:title": "t" });
    });

  it("are left out where their user has no more room", async () => {
    const bob = await server.user("bob");
    await server.database.sql`
      insert into media_usage (user_id, bytes) values (${bob.userId}, 1000000)`;
    expect(await preview("/relative?full", bob)).to.deep.equal({
      "og:title": "t",
    });
  });

  it("go with the preview after a week, unless an event names them", async () => {
    const { sql } = server.database;
    const lost = mediaIdIn(await preview("/relative?lost"));
    const sent = await preview("/relative?sent");
    const roomId = await makeRoom(alice);
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.image",
      body: "from a preview",
      url: sent["og:image"],
    });
    await sql`update url_previews set fetched_ts = 1`;
    await sql`delete from leases`;
    await runJob({ db: sql }, forgetUrlPreviews);
    const left = await sql`select count(*)::int as count from url_previews`;
    expect(left).to.deep.equal([{ count: 0 }]);
    const statusOf = async (mediaId: string) =>
      (await alice.get(downloadPath(mediaId))).status;
    expect(await statusOf(lost)).to.equal(404);
    expect(await statusOf(mediaIdIn(sent))).to.equal(200);
  });
});
