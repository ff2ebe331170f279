import { expect } from "chai";
import { downloadPath, imageOf, mediaIdOf } from "../../support/media.ts";
import { must } from "../../support/rooms.ts";
import { html, useWeb } from "../../support/web.ts";
import { useServer } from "../../support/server.ts";

describe("images of previewed pages", () => {
  let image: Buffer;
  const web = useWeb({
    "/page": html(
      '<title>t</title><meta property="og:image" content="/image">',
    ),
    "/image": (response) => html(image, "image/jpeg")(response),
  });
  const server = useServer({
    "url_previews.enabled": true,
    "egress.allow": ["127.0.0.1"],
    "media.user_quota_bytes": 1_000,
  });

  before(async () => {
    image = await imageOf(30, 20);
  });

  const preview = async (localpart: string, path: string) => {
    const user = await server.user(localpart);
    const url = encodeURIComponent(web.url + path);
    const target = `/_matrix/client/v1/media/preview_url?url=${url}`;
    return { user, fields: must(await user.get(target)) };
  };

  it("are files of this server, of who asked first", async () => {
    const { fields, user } = await preview("alice", "/page");
    expect(fields).to.include({
      "og:title": "t",
      "og:image:type": "image/png",
      "og:image:width": 30,
      "og:image:height": 20,
      "matrix:image:size": image.length,
    });
    const mediaId = mediaIdOf({ content_uri: fields["og:image"] });
    const { bytes } = await user.get(downloadPath(mediaId));
    expect(bytes.equals(image)).to.equal(true);
  });

  it("are left out where their user has no room for them", async () => {
    image = Buffer.concat([image, Buffer.alloc(2_000)]);
    const { fields } = await preview("bob", "/page?2");
    expect(fields).to.include({ "og:title": "t" });
    expect(fields).not.to.have.property("og:image");
  });
});
