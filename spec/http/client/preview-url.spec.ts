import { expect } from "chai";
import { html, redirect, useWeb } from "../../support/web.ts";
import { useServer } from "../../support/server.ts";
import type { TestClient, TestUser } from "../../support/server.ts";

const PATH = "/_matrix/client/v1/media/preview_url";
const HOUR_MS = 60 * 60 * 1000;

const preview = (user: TestClient, url: string, more = "") =>
  user.get(`${PATH}?url=${encodeURIComponent(url)}${more}`);

const oembed = (said: object) => html(JSON.stringify(said), "application/json");

describe("GET /media/preview_url", () => {
  const web = useWeb({
    "/graph": html(`<html prefix="og: https://ogp.me/ns#"><head>
      <title>not this</title>
      <meta property="og:title" content="The title">
      <meta property="og:type" content="article">
      <meta property="og:url" content="http://example.org/graph">
      <meta property="og:description" content="What it is about.">
      <meta property="og:site_name" content="The site">
      <meta property="og:image:width" content="1">
      <meta property="other:thing" content="x">`),
    "/card": html(`<meta name="twitter:title" content="A card">
      <meta name="twitter:description" content="Of a site.">`),
    "/plain": html(`<title>Plain page</title><body><nav>Menu</nav>
      <h1>Hello</h1><p>Some text of it.</p>`),
    "/heading": html("<h1>Only a heading</h1>"),
    "/long": html(`<title>t</title><p>${"A sentence of words. ".repeat(200)}`),
    "/empty": html(""),
    "/text": html("just text", "text/plain"),
    "/file": html("MZ", "application/octet-stream"),
    "/gone": (response) => response.writeHead(410).end("<title>x</title>"),
    "/latin": html(
      Buffer.from("<title>Grüße</title>", "latin1"),
      "text/html; charset=iso-8859-1",
    ),
    "/moved": redirect("/graph"),
    "/round": redirect("/round"),
    "/inside": redirect("http://169.254.169.254/"),
    "/linked": (response) =>
      html(`<title>Little</title><link rel="alternate"
        type="application/json+oembed" href="/oembed">`)(response),
    "/oembed": oembed({
      version: "1.0",
      type: "rich",
      title: "Much",
      provider_name: "Site",
      html: "<blockquote><p>What was said.</p></blockquote><script>x</script>",
    }),
    "/linked-badly": html(`<title>Little</title><link rel="alternate"
        type="application/json+oembed" href="/text">`),
    "/counted": html("<title>counted</title>"),
    "/slow": (response) => {
      setImmediate(() => html("<title>slow</title>")(response));
    },
    "/private/page": html("<title>private</title>"),
    "/to-private": redirect("/private/page"),
    "/changing": (response) =>
      html(`<title>${web.asked.length}</title>`)(response),
  });
  const server = useServer(
    {
      "url_previews.enabled": true,
      "url_previews.deny": ["*/private/*", "denied.test"],
      "url_previews.accept_language": "zh-CN,zh;q=0.9",
      "egress.allow": ["127.0.0.1"],
    },
    undefined,
    { resolve: async () => ["10.0.0.1"] },
  );
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const told = async (path: string) => {
    const { status, body, text } = await preview(alice, web.url + path);
    expect(status, text).to.equal(200);
    return body;
  };

  const asksOf = (path: string): number =>
    web.asked.filter((each) => each === `GET ${path}`).length;

  it("tells what a page says by OpenGraph", async () => {
    expect(await told("/graph")).to.deep.equal({
      "og:title": "The title",
      "og:type": "article",
      "og:url": "http://example.org/graph",
      "og:description": "What it is about.",
      "og:site_name": "The site",
    });
  });

  it("tells what a page says by a card of Twitter", async () => {
    expect(await told("/card")).to.deep.equal({
      "og:title": "A card",
      "og:description": "Of a site.",
    });
  });

  it("tells title and text of a page that says no more", async () => {
    expect(await told("/plain")).to.deep.equal({
      "og:title": "Plain page",
      "og:description": "Hello Some text of it.",
    });
    expect(await told("/heading")).to.include({
      "og:title": "Only a heading",
    });
  });

  it("tells some sentences of a long text", async () => {
    const { "og:description": text } = await told("/long");
    expect(String(text)).to.match(/^(A sentence of words\. ?)+$/);
    expect(text).to.have.length.within(400, 500);
  });

  it("reads pages in the charset that they are written in", async () => {
    expect(await told("/latin")).to.deep.equal({ "og:title": "Grüße" });
  });

  it("follows redirects", async () => {
    expect(await told("/moved")).to.include({ "og:title": "The title" });
  });

  it("tells nothing of what is no page, and of one that says nothing", async () => {
    for (const path of ["/text", "/file", "/empty"])
      expect(await told(path), path).to.deep.equal({});
  });

  it("tells what the site says of a page that says little itself", async () => {
    expect(await told("/linked")).to.deep.equal({
      "og:title": "Much",
      "og:site_name": "Site",
      "og:description": "What was said.",
      "og:url": `${web.url}/linked`,
    });
    expect(await told("/linked-badly")).to.deep.equal({
      "og:title": "Little",
    });
  });

  it("asks as a guest who says who it is and which languages are spoken", async () => {
    await told("/graph?headers");
    const headers = web.headers.at(-1)!;
    expect(headers["user-agent"]).to.match(/^Myelin \(bot/);
    expect(headers["accept-language"]).to.equal("zh-CN,zh;q=0.9");
    expect(headers).to.not.have.any.keys("cookie", "authorization", "referer");
  });

  it("also answers at the older path", async () => {
    const url = encodeURIComponent(`${web.url}/graph`);
    for (const version of ["v3", "r0"]) {
      const { body } = await alice.get(
        `/_matrix/media/${version}/preview_url?url=${url}`,
      );
      expect(body["og:title"]).to.equal("The title");
    }
  });

  it("C16: answers 502 for a page that cannot be had, and tells nothing of it", async () => {
    const texts = new Set<string>();
    for (const url of [
      ...["/gone", "/round", "/inside"].map((path) => web.url + path),
      ...["http://10.0.0.1/", "http://[::1]/", "http://127.0.0.1:22/"],
      ...["http://inside.test/", web.url.replace("http:", "https:")],
    ]) {
      const { status, body, text } = await preview(alice, url);
      expect(status, url).to.equal(502);
      expect(body["errcode"], url).to.equal("M_UNKNOWN");
      texts.add(text);
    }
    expect(texts.size).to.equal(1);
  });

  it("refuses what is no web address", async () => {
    for (const url of [
      "",
      "x",
      "/etc/passwd",
      "file:///etc/passwd",
      "mxc://a/b",
    ]) {
      const { status, body } = await preview(alice, url);
      expect(status, url).to.equal(400);
      expect(body["errcode"], url).to.equal("M_INVALID_PARAM");
    }
    expect((await alice.get(PATH)).status).to.equal(400);
    const late = await preview(alice, `${web.url}/graph`, "&ts=tomorrow");
    expect(late.status).to.equal(400);
  });

  it("refuses what the settings deny, and does not come to it by a redirect either", async () => {
    for (const url of [`${web.url}/private/page`, "http://denied.test/"]) {
      const { status, body } = await preview(alice, url);
      expect(status, url).to.equal(403);
      expect(body["errcode"], url).to.equal("M_FORBIDDEN");
    }
    const { status } = await preview(alice, `${web.url}/to-private`);
    expect(status).to.equal(502);
    expect(asksOf("/private/page")).to.equal(0);
  });

  it("keeps what it fetched, for all, whatever stands behind the hash", async () => {
    const bob = await server.user("bob");
    const first = await told("/counted#a");
    const second = await preview(bob, `${web.url}/counted#b`);
    expect(second.body).to.deep.equal(first);
    expect(asksOf("/counted")).to.equal(1);
  });

  it("keeps for a minute that a page could not be had", async () => {
    const { sql } = server.database;
    const url = `${web.url}/gone?again`;
    await preview(alice, url);
    await preview(alice, url);
    expect(asksOf("/gone?again")).to.equal(1);
    await sql`update url_previews set expires_ts = 1 where is_failure`;
    await preview(alice, url);
    expect(asksOf("/gone?again")).to.equal(2);
  });

  it("fetches once what many ask for at the same time, of two processes", async () => {
    const other = await server.startProcess();
    const asks = Array.from({ length: 10 }, (_, n) =>
      preview(n % 2 ? alice : other.as(alice), `${web.url}/slow?shared`),
    );
    const answers = await Promise.all(asks);
    for (const { body } of answers)
      expect(body).to.deep.equal({ "og:title": "slow" });
    expect(asksOf("/slow?shared")).to.equal(1);
  });

  it("fetches anew after an hour, and still tells of the time that is asked for", async () => {
    const { sql } = server.database;
    const url = `${web.url}/changing`;
    const first = (await preview(alice, url)).body;
    await sql`update url_previews set expires_ts = expires_ts - ${2 * HOUR_MS}::bigint`;
    const second = (await preview(alice, url)).body;
    expect(second).to.not.deep.equal(first);
    const now = server.edges.now();
    for (const [ts, body] of [
      [now - 10 * HOUR_MS, first],
      [now, second],
      [now + 10 * HOUR_MS, second],
      [-1, first],
    ] as const) {
      const asked = await preview(alice, url, `&ts=${ts}`);
      expect(asked.body, String(ts)).to.deep.equal(body);
    }
    expect(asksOf("/changing")).to.equal(2);
  });

  it("keeps neither addresses nor what pages said in plain", async () => {
    const { sql } = server.database;
    await told("/graph?canary-address");
    const rows = await sql`
      select encode(url_hash, 'escape') || encode(sealed, 'escape') as kept from url_previews`;
    expect(rows.length).to.be.above(3);
    for (const { kept } of rows)
      expect(kept).to.not.match(/canary|example|title|about/);
  });

  it("fetches anew what only an erased user could open", async () => {
    const { sql } = server.database;
    const carol = await server.user("carol");
    const url = `${web.url}/counted?erased`;
    await preview(carol, url);
    const keys = await sql<{ keyId: number }[]>`
      delete from keys where scope = 'user-files' and owner = ${carol.userId} returning key_id`;
    server.edges.keyring.forget(keys.map(({ keyId }) => keyId));
    for (let n = 0; n < 3; n += 1) {
      const { body } = await preview(alice, url);
      expect(body).to.deep.equal({ "og:title": "counted" });
    }
    expect(asksOf("/counted?erased")).to.equal(2);
  });

  it("tells clients that they may ask", async () => {
    const { body } = await alice.get("/capabilities");
    expect(body["capabilities"]).to.deep.include({
      "io.element.msc4452.preview_url": { enabled: true },
    });
  });
});

describe("GET /media/preview_url with a list of what is allowed", () => {
  const web = useWeb({
    "/ok": html("<title>ok</title>"),
    "/away": redirect("/elsewhere"),
    "/elsewhere": html("<title>elsewhere</title>"),
  });
  const server = useServer({
    "url_previews.enabled": true,
    "url_previews.allow": ["127.0.0.1/ok", "127.0.0.1/away"],
    "egress.allow": ["127.0.0.1"],
    "rate_limits.enabled": true,
    "rate_limits.url_preview.burst": 3,
    "rate_limits.url_preview.per_second": 0.001,
  });

  it("fetches nothing else, nor by a redirect, and little of each user", async () => {
    const alice = await server.user("alice");
    const ask = (path: string) => preview(alice, web.url + path);
    expect((await ask("/ok")).status).to.equal(200);
    expect((await ask("/elsewhere")).status).to.equal(403);
    expect((await ask("/away")).status).to.equal(502);
    const late = await ask("/ok");
    expect(late.status).to.equal(429);
    expect(late.body["retry_after_ms"]).to.be.above(0);
    const bob = await server.user("bob");
    expect((await preview(bob, `${web.url}/ok`)).status).to.equal(200);
    expect(web.asked).to.not.include("GET /elsewhere");
  });
});

describe("GET /media/preview_url where nobody switched it on", () => {
  const server = useServer();

  it("is refused, and clients are told beforehand", async () => {
    const alice = await server.user("alice");
    const { status, body } = await preview(alice, "https://example.org/");
    expect(status).to.equal(403);
    expect(body["errcode"]).to.equal("M_FORBIDDEN");
    const capabilities = await alice.get("/capabilities");
    expect(capabilities.body["capabilities"]).to.deep.include({
      "io.element.msc4452.preview_url": { enabled: false },
    });
  });
});
