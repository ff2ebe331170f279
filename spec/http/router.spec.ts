import { expect } from "chai";
import type { Endpoint, Method } from "../../src/http/endpoint.ts";
import { endpoint } from "../../src/http/endpoint.ts";
import { listOperations } from "./response-schema.ts";
import { useApp } from "./use-app.ts";

const operations = [
  ...new Map(
    listOperations(["client-server", "server-server"]).map((o) => [
      `${o.method} ${o.path}`,
      o,
    ]),
  ).values(),
];
const everything: Endpoint[] = operations.map(({ method, path }) =>
  endpoint({
    method: method.toLowerCase() as Method,
    path: path.replaceAll(/\{(\w+)\}/g, ":$1"),
    auth: "none",
    handle: async (_edges, { params }) => ({ is: "reached", params }),
  }),
);

const PARAMETER = "!a:example.org";
const concrete = operations.map(({ method, path }) => ({
  method,
  path: path.replaceAll(/\{\w+\}/g, PARAMETER),
}));

/** What each route must not be reached by. */
function trapsOf(path: string): string[] {
  const slashes = [...path.matchAll(/\//g)].map(({ index }) => index);
  const at = (index: number, text: string, skip = 0) =>
    path.slice(0, index) + text + path.slice(index + skip);
  return [
    `${path}/`,
    `${path}/x`,
    `${path}//`,
    `${path}/../x`,
    `${path}/.`,
    `${path}/..`,
    `${path}%2f`,
    `${path}%2F..%2Fx`,
    `${path}%00`,
    `/x/..${path}`,
    `/${path}`,
    ...slashes
      .slice(1)
      .flatMap((slash) => [
        at(slash, "/"),
        at(slash, "/x"),
        at(slash, "/.."),
        at(slash, "/."),
        at(slash, "/%2e%2e"),
        at(slash, "%2f", 1),
        at(slash, "\\", 1),
      ]),
  ];
}

/** An oracle apart from the router: is this path another route, or data in a parameter? */
const patterns = operations.map(({ path }) => {
  const parts = path.split(/(\{\w+\})/).map((part) => {
    if (part.startsWith("{")) return "[^/]+";
    return part.replaceAll(/[.]/g, "\\.");
  });
  return new RegExp(`^${parts.join("")}$`);
});
const isRoute = (path: string) =>
  patterns.some((pattern) => pattern.test(path));
const holdsDots = (path: string) => /\/(\.|%2e){1,2}(\/|$)/i.test(path);

describe("router", () => {
  const app = useApp({ endpoints: everything, checksAnswers: false });

  it("reaches every route of the specification", async () => {
    for (const { method, path } of concrete) {
      const { json } = await app.ask(method, path);
      expect(json, `${method} ${path}`).to.have.property("is", "reached");
    }
  });

  it("answers 404 to inserted and trailing segments, dots, doubled and encoded slashes", async () => {
    let asked = 0;
    for (const { method, path } of concrete) {
      for (const trap of trapsOf(path)) {
        if (isRoute(trap) && !holdsDots(trap) && !trap.includes("\\")) continue;
        const { status, json } = await app.ask(method, trap);
        const label = `${method} ${trap}`;
        expect(status, label).to.equal(404);
        expect(json, label).to.have.property("errcode", "M_UNRECOGNIZED");
        asked += 1;
      }
    }
    expect(asked).to.be.above(5000);
  });

  it("keeps to the letter case of static segments, and takes no escape for a letter", async () => {
    for (const path of [
      "/_matrix/client/V3/login",
      "/_matrix/client/v3/%6cogin",
    ]) {
      expect((await app.ask("GET", path)).status).to.equal(404);
    }
  });

  it("decodes a parameter once", async () => {
    const segment = "%23room%252Fpart%2Fof%3Aexample.org";
    const { json } = await app.ask(
      "GET",
      `/_matrix/client/v3/directory/room/${segment}`,
    );
    expect(json["params"]).to.deep.equal({
      roomAlias: "#room%2Fpart/of:example.org",
    });
  });

  it("takes keys of Object.prototype for plain names", async () => {
    const { json } = await app.ask(
      "GET",
      "/_matrix/client/v3/directory/room/__proto__",
    );
    expect(json["params"]).to.deep.equal({ roomAlias: "__proto__" });
    expect((await app.ask("GET", "/constructor")).status).to.equal(404);
  });

  it("row 47: refuses broken escapes and NUL in a parameter with 400", async () => {
    for (const segment of [
      "%E0%A4",
      "%",
      "%zz",
      "%C0%AF",
      "a%00b",
      "%ED%A0%80",
    ]) {
      const { status, json } = await app.ask(
        "GET",
        `/_matrix/client/v3/profile/${segment}`,
      );
      expect(status, segment).to.equal(400);
      expect(json, segment).to.have.property("errcode", "M_INVALID_PARAM");
    }
  });

  it("answers 405 with the methods it knows to a wrong one", async () => {
    const { status, json, headers } = await app.ask(
      "PATCH",
      "/_matrix/client/v3/login",
    );
    expect(status).to.equal(405);
    expect(json).to.have.property("errcode", "M_UNRECOGNIZED");
    expect(headers.allow).to.equal("GET, POST, OPTIONS");
  });

  it("answers r0 as v3, for every v3 route of clients", async () => {
    const old = concrete.filter(({ path }) =>
      path.startsWith("/_matrix/client/v3/"),
    );
    expect(old.length).to.be.above(100);
    for (const { method, path } of old) {
      const { json } = await app.ask(method, path.replace("/v3/", "/r0/"));
      expect(json, path).to.have.property("is", "reached");
    }
  });

  it("answers HEAD as GET, without the body", async () => {
    const { status, text } = await app.ask("HEAD", "/_matrix/client/v3/login");
    expect([status, text]).to.deep.equal([200, ""]);
  });

  it("takes the absolute form of a request line, as RFC 9112 wants of servers", async () => {
    const path = "/_matrix/client/v3/login";
    for (const server of ["http://127.0.0.1", "HTTPS://a.example:8448"]) {
      for (const target of [path, `${path}?a=http://b/c`]) {
        const { json } = await app.ask("GET", server + target);
        expect(json, server + target).to.have.property("is", "reached");
      }
    }
  });

  it("refuses in it what it refuses without, and what names no server", async () => {
    for (const target of [
      "http://127.0.0.1",
      "http://127.0.0.1?/_matrix/client/v3/login",
      "http://127.0.0.1//_matrix/client/v3/login",
      "http://127.0.0.1/x/../_matrix/client/v3/login",
      "http:///_matrix/client/v3/login",
      "http://user@127.0.0.1/_matrix/client/v3/login",
      "ftp://127.0.0.1/_matrix/client/v3/login",
    ]) {
      const { status } = await app.ask("GET", target);
      expect(status, target).to.equal(404);
    }
  });
});
