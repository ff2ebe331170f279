import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import Koa from "koa";
import { RequestState } from "../../src/http/context.ts";
import { createLandingPage } from "../../src/http/landing.ts";

describe("GET /", () => {
  let server: Server;
  afterEach(() => server.close());

  async function pageOf(
    registration: "closed" | "open" | "token",
    baseUrl = "https://matrix.example.org",
  ) {
    const app = new Koa<RequestState>();
    app.use(async (ctx, next) => {
      ctx.state = new RequestState("a-request", "127.0.0.1", ctx.path, "");
      await next();
    });
    app.use(
      createLandingPage({ serverName: "example.org", baseUrl, registration }),
    );
    server = createServer((req, res) => void app.callback()(req, res));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return { response, html: await response.text() };
  }

  it("tells the address to type into a client", async () => {
    const { html } = await pageOf("closed");
    expect(html).to.include("<code>https://matrix.example.org</code>");
    expect(html).to.include("@name:example.org");
  });

  it("tells how to get an account, by how registration is set", async () => {
    expect((await pageOf("closed")).html).to.include("to make one for you");
    server.close();
    expect((await pageOf("open")).html).to.include("Create account");
    server.close();
    expect((await pageOf("token")).html).to.include("registration token");
  });

  it("escapes what it shows and allows nothing to run or frame it", async () => {
    const { html, response } = await pageOf(
      "open",
      `https://a/"'><img src=x>&`,
    );
    expect(html).to.not.include("<img").and.not.include(`"'`);
    const policy = response.headers.get("content-security-policy");
    expect(policy)
      .to.include("default-src 'none'")
      .and.include("frame-ancestors 'none'")
      .and.not.include("script-src");
    expect(response.headers.get("x-frame-options")).to.equal("DENY");
  });
});
