import { expect } from "chai";
import { html, redirect, useWeb } from "../support/web.ts";
import { useServer } from "../support/server.ts";
import type { TestUser } from "../support/server.ts";

const MIB = 1024 * 1024;

/** Names, and where they are: what is denied listens too, and would say so. */
const NAMES: Readonly<Record<string, string>> = {
  "page.example": "127.0.0.1",
  "cdn.example": "127.0.0.1",
  "inside.example": "127.0.0.2",
};

describe("previews of hostile pages", () => {
  const link = (href: string) =>
    `<link rel="alternate" type="application/json+oembed" href="${href}">`;
  const web = useWeb({
    "/deep": html("<div>".repeat(MIB / 5)),
    "/huge": (response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write("<title>huge</title>");
      const pour = () => {
        while (!response.destroyed && response.write("<p>x".repeat(10_000)));
      };
      response.on("drain", pour);
      pour();
    },
    "/long-title": html(
      `<meta property="og:title" content="${"x".repeat(900_000)}">`,
    ),
    "/stream": (response) => {
      response.writeHead(200, { "content-type": "audio/mpeg" });
      response.write("icy");
    },
    "/error": (response, request) => {
      const said = new URL(request.url ?? "", "http://x").searchParams;
      const body = { errcode: said.get("errcode"), error: "canary of a page" };
      response.writeHead(Number(said.get("status")), {
        "content-type": "application/json",
        "retry-after": "3600",
      });
      response.end(JSON.stringify(body));
    },
    "/script": html(
      '<title><script>alert(1)</script></title><meta property="og:url" content="javascript:alert(1)">',
    ),
    "/prototype": html(
      '<meta property="__proto__" content="x"><meta property="og:__proto__" content="y"><meta property="constructor" content="z"><title>t</title>',
    ),
    "/oembed-inside": html(
      `<title>t</title>${link("http://inside.example/secret")}`,
    ),
    "/oembed-redirected": html(`<title>t</title>${link("/to-inside")}`),
    "/to-inside": redirect("http://inside.example/secret"),
    "/image-inside": html(
      '<title>t</title><meta property="og:image" content="http://inside.example/secret">',
    ),
    "/image-inside-as-file": html(
      '<title>t</title><meta property="og:image" content="file:///etc/passwd"><img src="data:image/png;base64,AAAA">',
    ),
    "/oembed-deep": html(`<title>t</title>${link("/deep-json")}`),
    "/deep-json": html("[".repeat(100_000), "application/json"),
    "/secret": html("<title>secret</title>"),
  });
  const resolved: string[] = [];
  const server = useServer(
    { "url_previews.enabled": true, "egress.allow": ["127.0.0.1"] },
    undefined,
    {
      resolve: async (host) => {
        resolved.push(host);
        return [NAMES[host] ?? "127.0.0.1"];
      },
    },
  );
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const preview = (path: string) =>
    alice.get(
      `/_matrix/client/v1/media/preview_url?url=${encodeURIComponent(web.url + path)}`,
    );

  it("CVE-2022-31052 row 73: read a million nested elements without harm", async () => {
    const { status, body } = await preview("/deep");
    expect(status).to.equal(200);
    expect(body).to.deep.equal({});
  });

  it("row 73: read the first mebibyte of a page without end", async () => {
    const { status, body } = await preview("/huge");
    expect(status).to.equal(200);
    expect(body["og:title"]).to.equal("huge");
  });

  it("1.5.1 #6331: cut what is too long", async () => {
    const { body } = await preview("/long-title");
    expect(body["og:title"]).to.equal("x".repeat(1000));
  });

  it("CVE-2022-41952: do not listen to a stream", async () => {
    const { status, body } = await preview("/stream");
    expect(status).to.equal(200);
    expect(body).to.deep.equal({});
  });

  it("C16 GHSA-95fh-hv8c-chvq: hand no status, code or text of a page on", async () => {
    const statuses = [400, 401, 403, 404, 418, 429, 500, 502, 503];
    const codes = ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_LIMIT_EXCEEDED"];
    for (const said of statuses)
      for (const code of codes) {
        const path = `/error?status=${said}&errcode=${code}`;
        const { status, body, headers } = await preview(path);
        expect(status, path).to.equal(502);
        expect(headers, path).to.not.have.property("retry-after");
        expect(body, path).to.deep.equal({
          errcode: "M_UNKNOWN",
          error: "The page could not be read.",
        });
      }
  });

  it("hand markup on as text, which it is", async () => {
    const { body } = await preview("/script");
    expect(body["og:title"]).to.equal("<script>alert(1)</script>");
  });

  it("row 45: keep names of prototypes for what they are", async () => {
    const { body } = await preview("/prototype");
    expect(body["og:title"]).to.equal("t");
    expect(Object.getPrototypeOf(body)).to.equal(Object.prototype);
  });

  it("CVE-2023-32683: hold what a page names to the same gate", async () => {
    for (const path of [
      ...["/oembed-inside", "/oembed-redirected", "/image-inside"],
      ...["/image-inside-as-file", "/oembed-deep"],
    ]) {
      const { status, body } = await preview(path);
      expect(status, path).to.equal(200);
      expect(body, path).to.deep.equal({ "og:title": "t" });
    }
    expect(resolved).to.include("inside.example");
    expect(web.asked).to.not.include("GET /secret");
  });

  it("row 73: are made for many at once", async () => {
    const asked = Array.from({ length: 20 }, (_, n) => preview(`/deep?${n}`));
    for (const { status } of await Promise.all(asked))
      expect(status).to.equal(200);
  });
});
