import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import type { Resource } from "../../src/domain/admin/permission.ts";
import { compileEndpoints } from "../../src/http/compile.ts";
import { endpoint } from "../../src/http/endpoint.ts";
import { useApp } from "./use-app.ts";

const bearer = (token: string) => ({
  headers: { Authorization: `Bearer ${token}` },
});
const whoami = endpoint({
  method: "get",
  path: "/whoami",
  auth: "user",
  rateLimit: "other",
  handle: async (_edges, { requester }) => ({ user_id: requester.userId }),
});

const seen: { permission: string; resource: Resource }[] = [];
const taken: string[] = [];
const endpoints = [
  whoami,
  endpoint({
    method: "get",
    path: "/optional",
    auth: "optional",
    handle: async (_edges, { requester }) => ({
      user_id: requester?.userId ?? null,
    }),
  }),
  endpoint({
    method: "get",
    path: "/guests",
    auth: "user",
    guest: true,
    handle: async () => ({}),
  }),
  endpoint({
    method: "get",
    path: "/limited",
    auth: "none",
    rateLimit: "login",
    handle: async () => ({}),
  }),
  endpoint<{ params: { userId: string }; body: object }>({
    method: "post",
    path: "/admin/:userId",
    auth: "admin",
    permission: "users.lock",
    body: { type: "object" },
    handle: async (_edges, { actor }) => ({ ...actor }),
  }),
];

describe("authentication", () => {
  const app = useApp({
    endpoints,
    trustedProxies: ["127.0.0.1/32", "10.0.0.0/8"],
    can: async (requester, permission, resource) => {
      seen.push({ permission, resource });
      return requester.userId === "@admin:test"
        ? { isAllowed: true, roles: [] }
        : { isAllowed: false, by: "role", roles: [] };
    },
    rateLimiter: {
      take: async (kind, key) => {
        taken.push(`${kind} ${key}`);
        if (key === "198.51.100.9")
          throw new MatrixError("M_LIMIT_EXCEEDED", "Slow.", {
            retry_after_ms: 10,
          });
      },
    },
  });
  beforeEach(() => {
    seen.length = 0;
    taken.length = 0;
  });

  it("takes the token from the header or the query", async () => {
    for (const asked of [
      await app.ask("GET", "/whoami", bearer("token-of-alice")),
      await app.ask("GET", "/whoami?access_token=token-of-alice"),
    ]) {
      expect(asked.json).to.deep.equal({ user_id: "@alice:test" });
    }
  });

  it("answers 401 M_MISSING_TOKEN without one", async () => {
    for (const headers of [
      {},
      { Authorization: "Basic YTpi" },
      { Authorization: "Bearer" },
    ]) {
      const { status, json } = await app.ask("GET", "/whoami", { headers });
      expect(status).to.equal(401);
      expect(json).to.have.property("errcode", "M_MISSING_TOKEN");
    }
  });

  it("answers 401 M_UNKNOWN_TOKEN to a wrong one, also where none is needed", async () => {
    for (const path of ["/whoami", "/optional"]) {
      const { status, json } = await app.ask("GET", path, bearer("wrong"));
      expect(status).to.equal(401);
      expect(json).to.include({
        errcode: "M_UNKNOWN_TOKEN",
        soft_logout: true,
      });
    }
  });

  it("serves an optional endpoint without a token", async () => {
    expect((await app.ask("GET", "/optional")).json).to.deep.equal({
      user_id: null,
    });
  });

  it("refuses two tokens without telling the client that its own is dead", async () => {
    const twice = {
      headers: {
        Authorization: ["Bearer token-of-alice", "Bearer token-of-admin"],
      },
    };
    const mixed = { Authorization: ["Basic YTpi", "Bearer token-of-alice"] };
    const answers = [
      await app.ask("GET", "/whoami", twice),
      await app.ask("GET", "/whoami", { headers: mixed }),
      await app.ask(
        "GET",
        "/whoami?access_token=token-of-admin",
        bearer("token-of-alice"),
      ),
      await app.ask(
        "GET",
        "/whoami?access_token=token-of-alice&access_token=token-of-admin",
      ),
      await app.ask(
        "GET",
        "/whoami?access%5Ftoken=token-of-admin",
        bearer("token-of-alice"),
      ),
    ];
    for (const { status, json } of answers) {
      expect(status).to.equal(400);
      expect(json).to.have.property("errcode", "M_INVALID_PARAM");
    }
  });

  it("refuses guests unless the endpoint serves them", async () => {
    const { status, json } = await app.ask(
      "GET",
      "/whoami",
      bearer("token-of-guest"),
    );
    expect(status).to.equal(403);
    expect(json).to.have.property("errcode", "M_GUEST_ACCESS_FORBIDDEN");
    expect(
      (await app.ask("GET", "/guests", bearer("token-of-guest"))).status,
    ).to.equal(200);
  });

  it("writes no token to the log, wherever it stood", async () => {
    await app.ask("GET", "/whoami?access_token=token-of-alice&x=1");
    await app.ask("GET", "/whoami", bearer("token-of-alice"));
    await app.ask("GET", "/nowhere?access_token=secret-canary");
    await app.ask("GET", "/whoami?access_token=secret-canary");
    expect(app.logged()).to.include('"path":"/whoami"');
    expect(app.logged()).not.to.match(/token-of|canary|access_token/);
  });

  describe("of administrators", () => {
    const ask = (token: string, body = "{}") =>
      app.ask("POST", "/admin/@bob:test", { ...bearer(token), body });

    it("asks for the permission that the endpoint names, with what it touches", async () => {
      const { json } = await ask("token-of-admin");
      expect(json).to.include({
        userId: "@admin:test",
        permission: "users.lock",
        ip: "127.0.0.1",
      });
      expect(seen).to.deep.equal([
        { permission: "users.lock", resource: { userId: "@bob:test" } },
      ]);
    });

    it("refuses who may not, before the body is read", async () => {
      const { status, json } = await ask("token-of-alice", "no json");
      expect(status).to.equal(403);
      expect(json).to.have.property("errcode", "M_FORBIDDEN");
      expect((await app.ask("POST", "/admin/@bob:test")).status).to.equal(401);
    });

    it("does not boot with an endpoint that names no permission", () => {
      expect(() => compileEndpoints([{ ...whoami, auth: "admin" }])).to.throw(
        TypeError,
        "names no permission",
      );
    });
  });

  describe("and rate limits", () => {
    const from = (address: string) => ({
      headers: { "X-Forwarded-For": address },
    });

    it("counts by user where one is known, else by address", async () => {
      await app.ask("GET", "/whoami", bearer("token-of-alice"));
      await app.ask("GET", "/limited");
      expect(taken).to.deep.equal(["other @alice:test", "login 127.0.0.1"]);
    });

    it("believes trusted proxies, and nobody beyond them", async () => {
      await app.ask("GET", "/limited", from("203.0.113.7, 10.1.2.3"));
      await app.ask("GET", "/limited", from("1.1.1.1, 203.0.113.7"));
      await app.ask("GET", "/limited", from("not an address"));
      await app.ask("GET", "/limited", from("2001:db8:1:2:3::4"));
      expect(taken).to.deep.equal([
        "login 203.0.113.7",
        "login 203.0.113.7",
        "login 127.0.0.1",
        "login 2001:db8:1:2::/64",
      ]);
    });

    it("passes the refusal on", async () => {
      const { status, headers } = await app.ask(
        "GET",
        "/limited",
        from("198.51.100.9"),
      );
      expect(status).to.equal(429);
      expect(headers["retry-after"]).to.equal("1");
    });
  });
});

describe("authentication where the query is closed and no proxy is trusted", () => {
  const taken: string[] = [];
  const app = useApp({
    endpoints,
    isQueryTokenAllowed: false,
    rateLimiter: { take: async (_kind, key) => void taken.push(key) },
  });

  it("takes no token from the query", async () => {
    const { json } = await app.ask(
      "GET",
      "/whoami?access_token=token-of-alice",
    );
    expect(json).to.have.property("errcode", "M_MISSING_TOKEN");
  });

  it("ignores X-Forwarded-For", async () => {
    await app.ask("GET", "/limited", {
      headers: { "X-Forwarded-For": "203.0.113.7" },
    });
    expect(taken).to.deep.equal(["127.0.0.1"]);
  });
});
