import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { row } from "../harness/registry.ts";

/** 3 by 2 points. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGMQUDCAIAY4CwAV1AJBNIRtCgAAAABJRU5ErkJggg==",
  "base64",
);

/** Pages of somebody else; the server under test must be allowed to call 127.0.0.1. */
async function withPages(use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url === "/test.png") {
      response.writeHead(200, { "content-type": "image/png" }).end(PNG);
      return;
    }
    const url = `http://${request.headers.host}/test.html`;
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<html><head>
      <meta property="og:title" content="Dinosaurs" />
      <meta property="og:type" content="article" />
      <meta property="og:url" content="${url}" />
      <meta property="og:image" content="test.png" />
      </head></html>`);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

row("csapi", "TestUrlPreview", "", (server) =>
  withPages(async (url) => {
    const alice = await server.user("alice");
    const body = await alice.mustGet("/_matrix/media/v3/preview_url", {
      url: `${url}/test.html`,
    });
    expect(body).to.include({
      "og:title": "Dinosaurs",
      "og:type": "article",
      "og:url": `${url}/test.html`,
      "matrix:image:size": PNG.length,
      "og:image:width": 3,
      "og:image:height": 2,
    });
    expect(body["og:image"]).to.match(/^mxc:\/\//);
  }),
);
