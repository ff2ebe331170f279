import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { createS3Store } from "../../src/remote/media-s3.ts";
import { itIsAStore } from "../support/blob-store.ts";
import { quiet } from "../support/database.ts";
import {
  downloadPath,
  imageOf,
  thumbnailPath,
  upload,
} from "../support/media.ts";
import {
  S3_ACCESS_KEY,
  S3_BUCKET,
  S3_SECRET_KEY,
  useS3Server,
} from "../support/s3-server.ts";
import { useServer } from "../support/server.ts";

describe("the bucket of files", () => {
  const s3 = useS3Server();
  let store: ReturnType<typeof createS3Store>;

  before(() => {
    store = createS3Store({
      endpoint: s3.endpoint,
      region: "us-east-1",
      bucket: S3_BUCKET,
      prefix: "files/",
      isPathStyle: true,
      credentials: {
        accessKeyId: S3_ACCESS_KEY,
        secretAccessKey: S3_SECRET_KEY,
      },
    });
  });
  after(() => store.close());

  itIsAStore(() => store);
});

describe("a server with a bucket", () => {
  const s3 = useS3Server();
  const settings: Record<string, unknown> = {
    "media.store": "s3",
    "media.s3.bucket": S3_BUCKET,
    "media.s3.access_key_id": S3_ACCESS_KEY,
    "media.s3.secret_access_key": S3_SECRET_KEY,
  };
  before(() => {
    settings["media.s3.endpoint"] = s3.endpoint;
  });
  const server = useServer(settings);

  it("keeps files and thumbnails there", async () => {
    const alice = await server.user("alice");
    const image = await imageOf(200, 100);
    const mediaId = await upload(alice, image, "image/png");
    const { bytes, status } = await alice.get(downloadPath(mediaId));
    expect(status).to.equal(200);
    expect(bytes.equals(image)).to.equal(true);
    const wish = { width: 32, height: 32, method: "crop" };
    const thumbnail = await alice.get(thumbnailPath(mediaId, wish));
    expect(thumbnail.status).to.equal(200);
    expect(thumbnail.headers["content-type"]).to.equal("image/png");
  });
});

describe("a bucket that refuses", () => {
  const s3 = useS3Server();
  const SECRET = "words of the bucket";
  const settings: Record<string, unknown> = {
    "media.store": "s3",
    "media.s3.bucket": S3_BUCKET,
    "media.s3.access_key_id": S3_ACCESS_KEY,
    "media.s3.secret_access_key": S3_SECRET_KEY,
  };
  let hostile: Server;
  let status = 401;
  before(async () => {
    settings["media.s3.endpoint"] = s3.endpoint;
    hostile = createServer((request, response) => {
      request.resume();
      response
        .writeHead(status, { "content-type": "application/xml" })
        .end(
          `<Error><Code>M_UNKNOWN_TOKEN</Code><Message>${SECRET}</Message></Error>`,
        );
    });
    await new Promise<void>((done) => hostile.listen(0, "127.0.0.1", done));
  });
  after(() => hostile.close());
  const server = useServer(settings, quiet);

  it("C16: tells nobody who asks for a file what it said, nor its status", async () => {
    const alice = await server.user("alice");
    const mediaId = await upload(alice, "bytes", "text/plain");
    const { port } = hostile.address() as AddressInfo;
    const process = await server.startProcess({
      "media.s3.endpoint": `http://127.0.0.1:${port}`,
    });
    const asked = process.as(alice);
    for (status of [401, 403, 404]) {
      for (const answer of [
        await asked.get(downloadPath(mediaId)),
        await asked.ask("POST", "/_matrix/media/v3/upload", "more bytes"),
      ]) {
        expect(answer.text).to.not.include(SECRET).and.not.include("TOKEN");
        expect(answer.status, answer.text).to.be.oneOf([404, 500, 502, 503]);
      }
    }
  });
});
