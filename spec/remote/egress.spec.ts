import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { createEgress } from "../../src/remote/create-egress.ts";
import { EgressError } from "../../src/remote/egress-error.ts";
import { html, redirect, useWeb } from "../support/web.ts";
import { failureOf, nameService, useEgress } from "./use-egress.ts";

const MIB = 1024 * 1024;

describe("calls to other machines", () => {
  const web = useWeb({
    "/": html("hello"),
    "/zipped": (response) => {
      const headers = { "content-encoding": "gzip" };
      response.writeHead(200, headers).end(gzipSync("hello"));
    },
    "/twice": (response) => {
      const headers = { "content-encoding": "gzip, gzip" };
      response.writeHead(200, headers).end(gzipSync(gzipSync("hello")));
    },
    "/broken": (response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
    },
    "/bomb": (response) => {
      const headers = { "content-encoding": "gzip" };
      response.writeHead(200, headers).end(gzipSync(Buffer.alloc(50 * MIB)));
    },
    "/large": (response) => {
      response.writeHead(200, { "content-length": 2 * MIB });
      response.end(Buffer.alloc(2 * MIB));
    },
    "/endless": (response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on("drain", pour);
      pour();
    },
    "/silent": () => undefined,
    "/drips": (response) => {
      response.writeHead(200);
      response.write("x");
    },
    "/headers": (response) => {
      for (let n = 0; n < 60; n += 1)
        response.setHeader(`x-${n}`, "v".repeat(1000));
      response.end();
    },
    "/echo": (response, request) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.writeHead(200);
        response.end(
          JSON.stringify({
            method: request.method,
            body: Buffer.concat(chunks).toString(),
            headers: request.headers,
          }),
        );
      });
    },
    "/302": redirect("/echo"),
    "/303": redirect("/echo", 303),
    "/307": redirect("/echo", 307),
    "/around": redirect("/around"),
    "/two": redirect("/302"),
    "/odd": redirect("http://exa mple/"),
    "/to-file": redirect("file:///etc/passwd"),
    "/with-password": redirect("http://user:password@127.0.0.1/"),
    "/elsewhere": redirect(() => `http://elsewhere.test:${web.port}/echo`),
  });
  const names = nameService({
    "elsewhere.test": ["127.0.0.1"],
    "several.test": ["127.0.0.1", "127.0.0.1"],
  });
  const egress = useEgress({ resolve: (host) => names.resolve(host) });

  const get = (path: string, more = {}) =>
    egress.request({ url: web.url + path, purpose: "preview", ...more });
  const fail = (path: string, more = {}) =>
    failureOf(egress, { url: web.url + path, ...more });

  it("give the status, headers and body", async () => {
    const answer = await get("/#part");
    expect(answer.status).to.equal(200);
    expect(answer.body.toString()).to.equal("hello");
    expect(answer.headers.get("content-type")).to.match(/^text\/html/);
    expect(answer.url).to.equal(`${web.url}/`);
    expect((await get("/nowhere")).status).to.equal(404);
  });

  it("send a body and headers", async () => {
    const answer = await get("/echo", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", "user-agent": "x" },
    });
    const { method, body, headers } = JSON.parse(answer.body.toString());
    expect({ method, body }).to.deep.equal({ method: "POST", body: "{}" });
    expect(headers).to.include({
      "content-type": "application/json",
      "user-agent": "x",
      host: `127.0.0.1:${web.port}`,
    });
  });

  it("go to names by the addresses that they resolve to", async () => {
    const url = `http://several.test:${web.port}/`;
    const answer = await egress.request({ url, purpose: "preview" });
    expect(answer.body.toString()).to.equal("hello");
    expect(web.headers.at(-1)?.host).to.equal(`several.test:${web.port}`);
  });

  it("uncompress, once", async () => {
    expect((await get("/zipped")).body.toString()).to.equal("hello");
    expect(await fail("/twice")).to.equal("unreadable");
    expect(await fail("/broken")).to.equal("unreadable");
  });

  it("CVE-2021-21274 CVE-2024-52791: are cut where a body is too large, told, endless or compressed", async () => {
    expect(await fail("/large", { maxBytes: MIB })).to.equal("large");
    expect(await fail("/endless", { maxBytes: MIB })).to.equal("large");
    expect(await fail("/bomb", { maxBytes: MIB })).to.equal("large");
    expect((await get("/large", { maxBytes: 2 * MIB })).body).to.have.length(
      2 * MIB,
    );
  });

  it("take no more than 16 KiB of headers", async () => {
    expect(await fail("/headers")).to.equal("large");
  });

  it("row 19 CVE-2022-41952: end in time, whatever the other side waits for", async () => {
    expect(await fail("/silent", { timeoutMs: 200 })).to.equal("slow");
    expect(await fail("/drips", { timeoutMs: 200 })).to.equal("slow");
    const endless = { timeoutMs: 200, maxBytes: Infinity };
    expect(await fail("/endless", endless)).to.equal("slow");
  });

  it("end when they are given up", async () => {
    const signal = AbortSignal.timeout(50);
    expect(await fail("/silent", { signal })).to.equal("aborted");
    expect(await fail("/", { signal: AbortSignal.abort() })).to.equal(
      "aborted",
    );
  });

  it("follow redirects when asked to, up to a number", async () => {
    expect((await get("/302")).status).to.equal(302);
    const followed = await get("/two", { followRedirects: 2 });
    expect(followed.status).to.equal(200);
    expect(followed.url).to.equal(`${web.url}/echo`);
    const around = await get("/around", { followRedirects: 5 });
    expect(around.status).to.equal(302);
    expect(web.asked.filter((each) => each === "GET /around")).to.have.length(
      6,
    );
  });

  it("keep method and body on the way only where the status says so", async () => {
    const asked = { method: "POST", body: "{}", followRedirects: 1 };
    const said = async (path: string) => {
      const { body } = await get(path, asked);
      return JSON.parse(body.toString()) as { method: string; body: string };
    };
    expect(await said("/302")).to.include({ method: "GET", body: "" });
    expect(await said("/303")).to.include({ method: "GET", body: "" });
    expect(await said("/307")).to.include({ method: "POST", body: "{}" });
  });

  it("hand no secret on to another machine", async () => {
    const headers = { authorization: "Bearer t", cookie: "c", accept: "a/b" };
    const said = async (path: string) => {
      const { body } = await get(path, { headers, followRedirects: 1 });
      return (JSON.parse(body.toString()) as { headers: object }).headers;
    };
    expect(await said("/302")).to.include(headers);
    const elsewhere = await said("/elsewhere");
    expect(elsewhere).to.include({ accept: "a/b" });
    expect(elsewhere).to.not.have.any.keys("authorization", "cookie");
  });

  it("go to no other protocol, and with no password", async () => {
    const followRedirects = 3;
    for (const path of ["/odd", "/to-file", "/with-password"])
      expect(await fail(path, { followRedirects }), path).to.equal("refused");
  });

  it("are refused where whoever calls refuses an address on the way", async () => {
    const mayCall = (url: URL) => url.pathname !== "/echo";
    const followRedirects = 2;
    expect(await fail("/two", { mayCall, followRedirects })).to.equal(
      "refused",
    );
    expect((await get("/", { mayCall })).status).to.equal(200);
  });

  it("without TLS are for previews, and for what the settings allow", async () => {
    const push = { purpose: "push" } as const;
    expect((await get("/", push)).status).to.equal(200);
    const url = `http://elsewhere.test:${web.port}/`;
    expect(await failureOf(egress, { url, ...push })).to.equal("refused");
  });

  it("go where the settings allow a name, and not where they deny one", async () => {
    const { resolve } = nameService({
      "a.inside.test.": ["127.0.0.1"],
      "inside.test": ["127.0.0.1"],
      "denied.test": ["127.0.0.1"],
      "below.denied.test": ["127.0.0.1"],
    });
    const own = createEgress({
      allow: ["*.inside.test", "203.0.113.0/24"],
      deny: ["Denied.Test", "*.denied.test", "8.8.8.0/24"],
      resolve,
    });
    const urlOf = (host: string) => `http://${host}:${web.port}/`;
    const asked = await own.request({
      url: urlOf("a.inside.test."),
      purpose: "push",
    });
    expect(asked.status).to.equal(200);
    for (const host of [
      "inside.test",
      "denied.test.",
      "below.denied.test",
      "8.8.8.8",
    ])
      expect(await failureOf(own, { url: urlOf(host) }), host).to.equal(
        "refused",
      );
    await own.close();
  });

  it("go nowhere but where the settings allow, if they deny all", async () => {
    const { resolve } = nameService({ "open.test": ["127.0.0.1"] });
    const own = createEgress({ allow: ["open.test"], deny: ["*"], resolve });
    const open = { url: `http://open.test:${web.port}/` };
    expect(
      (await own.request({ ...open, purpose: "preview" })).status,
    ).to.equal(200);
    for (const url of ["http://example.org/", "http://93.184.215.14/"])
      expect(await failureOf(own, { url }), url).to.equal("refused");
    await own.close();
  });

  it("ask no proxy of the environment", async () => {
    const before = web.asked.length;
    const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    for (const name of names) process.env[name] = "http://127.0.0.1:9";
    try {
      const own = createEgress({ allow: ["127.0.0.1"], deny: [] });
      const url = `${web.url}/`;
      expect((await own.request({ url, purpose: "preview" })).status).to.equal(
        200,
      );
      await own.close();
    } finally {
      for (const name of names) delete process.env[name];
    }
    expect(web.asked.length).to.equal(before + 1);
  });

  it("use a connection again, and no more than eight to one host", async () => {
    const own = createEgress({ allow: ["127.0.0.1"], deny: [] });
    const before = web.connections();
    const url = `${web.url}/`;
    const ask = () => own.request({ url, purpose: "preview" });
    for (let n = 0; n < 5; n += 1) await ask();
    expect(web.connections() - before).to.be.at.most(2);
    await Promise.all(Array.from({ length: 40 }, ask));
    expect(web.connections() - before).to.be.at.most(8);
    await own.close();
  });

  it("CVE-2026-48931: share no connection between hosts, though they are one machine", async () => {
    const { resolve } = nameService({
      "one.test": ["127.0.0.1"],
      "two.test": ["127.0.0.1"],
    });
    const own = createEgress({ allow: ["127.0.0.1"], deny: [], resolve });
    const before = web.connections();
    for (let n = 0; n < 3; n += 1)
      for (const host of ["one.test", "two.test"]) {
        const url = `http://${host}:${web.port}/`;
        await own.request({ url, purpose: "preview" });
        expect(web.headers.at(-1)?.host).to.equal(`${host}:${web.port}`);
      }
    expect(web.connections() - before).to.be.at.least(2);
    await own.close();
  });

  it("can be read as far as they are wanted", async () => {
    const stream = await egress.open({
      url: `${web.url}/endless`,
      purpose: "preview",
      maxBytes: Infinity,
    });
    let size = 0;
    for await (const chunk of stream.body) {
      size += chunk.length;
      if (size > MIB) break;
    }
    expect(size).to.be.within(MIB, 2 * MIB);
  });

  it("that nobody reads end in time, and harm nothing", async () => {
    const stream = await egress.open({
      url: `${web.url}/endless`,
      purpose: "preview",
      maxBytes: Infinity,
      timeoutMs: 50,
    });
    await new Promise((done) =>
      AbortSignal.timeout(60).addEventListener("abort", done),
    );
    const read = async () => {
      for await (const chunk of stream.body)
        expect(chunk).to.be.an("uint8array");
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EgressError);
    expect((error as EgressError).failure).to.equal("slow");
  });

  it("tell nothing of what the other side said", async () => {
    const error = await egress
      .request({ url: "http://nowhere.test/", purpose: "preview" })
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EgressError);
    expect((error as EgressError).message).to.equal(
      "The other machine could not be reached.",
    );
  });
});

describe("machines that are no web servers", () => {
  const servers: Server[] = [];
  const egress = useEgress();

  after("stop them", async () => {
    await Promise.all(
      servers.map((server) => new Promise((done) => server.close(done))),
    );
  });

  /** Answers each connection with these bytes, and ends it. */
  async function says(bytes: string): Promise<string> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(bytes));
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  for (const [what, bytes, failure] of [
    ["garbage", "SSH-2.0-OpenSSH\r\n", "unreadable"],
    ["nothing", "", "unreachable"],
    [
      "half a body",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
      "unreachable",
    ],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "unreadable",
    ],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      "unreadable",
    ],
  ] as const) {
    it(`that say ${what} fail`, async () => {
      expect(await failureOf(egress, { url: await says(bytes) })).to.equal(
        failure,
      );
    });
  }

  it("CVE-2026-48931: that answer what nobody asked have it read by nobody", async () => {
    const answerOf = (text: string) =>
      `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    let asked = 0;
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => {
        asked += 1;
        socket.write(answerOf(`asked ${asked}`) + answerOf("poison"));
      });
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (let n = 1; n <= 5; n += 1) {
      const { body } = await egress.request({ url, purpose: "preview" });
      expect(body.toString()).to.equal(`asked ${n}`);
    }
  });

  it("that do not listen cannot be reached", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const url = `http://127.0.0.1:${port}/`;
    expect(await failureOf(egress, { url })).to.equal("unreachable");
  });

  it("that speak no TLS where it is asked for cannot be reached", async () => {
    const url = (await says("HTTP/1.1 200 OK\r\n\r\n")).replace(
      "http",
      "https",
    );
    expect(await failureOf(egress, { url })).to.equal("unreachable");
  });
});
