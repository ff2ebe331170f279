import { expect } from "chai";
import { factsOf } from "../../../src/domain/admin/permissions.ts";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { nameOf, pathTo } from "../../security/requests.ts";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { must } from "../../support/rooms.ts";
import {
  useServer,
  type AskOptions,
  type TestUser,
} from "../../support/server.ts";

const V1 = "/_synapse/admin/v1";

const PLACE = {
  userId: "@user:test",
  roomId: "!none:test",
  eventId: "$none",
  deviceId: "NONE",
  alias: "#none:test",
};

const reads = endpoints.filter(
  ({ permission }) =>
    permission !== undefined && factsOf(permission).class.includes("P"),
);

const grounds = (headers: Record<string, string>): AskOptions => ({ headers });
const BOTH = { "x-myelin-case": "HR-7", "x-myelin-reason": "a complaint" };

describe("cases of what administrators read", () => {
  const server = useServer({ "admin.require_case": true });
  const admins: TestUser[] = [];
  let root: TestUser;
  let user: TestUser;

  before(async () => {
    for (const role of [
      "system-admin",
      "auditor",
      "compliance-officer",
      "privacy-officer",
    ])
      admins.push(await administrator(server, role, role));
    [root] = admins as [TestUser];
    user = await server.user("user");
  });

  const holderOf = async ({ permission }: Endpoint): Promise<TestUser> => {
    for (const who of admins) {
      const { permissions } = must<{ permissions: string[] }>(
        await who.get("/_myelin/admin/v1/me/permissions"),
      );
      if (permissions.includes(permission ?? "")) return who;
    }
    throw new TypeError(`Nobody holds ${permission}.`);
  };

  it("sees the routes", () => expect(reads).to.have.length.above(12));

  for (const endpoint of reads) {
    it(`G8: ${nameOf(endpoint)} is refused without a case and a reason`, async () => {
      const who = await holderOf(endpoint);
      const method = endpoint.method.toUpperCase();
      const body = endpoint.body ? {} : undefined;
      const ask = (options: AskOptions) =>
        who.ask(method, pathTo(endpoint, PLACE), body, options);
      for (const headers of [
        {},
        { "x-myelin-case": "HR-7" },
        { "x-myelin-reason": "a complaint" },
        { "x-myelin-case": " ", "x-myelin-reason": "a complaint" },
      ] as Record<string, string>[]) {
        const head = await auditHead(server);
        const answer = await ask(grounds(headers));
        expect(answer.status, answer.text).to.equal(403);
        expect(answer.body).to.include({ errcode: "ORG_MYELIN_CASE_REQUIRED" });
        const records = await readAudit(server, head);
        expect(records).to.have.length(1);
        expect(records[0]).to.include({
          action: endpoint.permission,
          result: "denied",
        });
      }
      const head = await auditHead(server);
      const answer = await ask(grounds(BOTH));
      expect(answer.body["errcode"]).not.to.equal("ORG_MYELIN_CASE_REQUIRED");
      const records = await readAudit(server, head);
      expect(records).to.have.length(1);
      expect(records[0]).to.include({ case_id: "HR-7", reason: "a complaint" });
    });
  }

  it("G8: takes both of tools in the query, and in the body", async () => {
    const whois = `${V1}/whois/${user.userId}`;
    expect((await root.get(whois)).status).to.equal(403);
    const head = await auditHead(server);
    must(await root.get(`${whois}?case_id=HR-8&reason=a%20theft`));
    must(
      await root.post(`${V1}/users/${user.userId}/login`, {
        case_id: "HR-9",
        reason: "a test",
      }),
    );
    const records = await readAudit(server, head);
    expect(records.map((record) => record["case_id"])).to.deep.equal([
      "HR-8",
      "HR-9",
    ]);
    expect(records.map((record) => record["reason"])).to.deep.equal([
      "a theft",
      "a test",
    ]);
  });

  it("asks nobody for a case who looks at what is theirs", async () => {
    must(await user.get(`/_matrix/client/v3/admin/whois/${user.userId}`));
  });

  it("lets consoles in browsers send the headers, where administrators are served alone", async () => {
    const allowed = async (path: string) => {
      const { headers } = await server.ask("OPTIONS", path);
      return headers["access-control-allow-headers"];
    };
    for (const path of [
      `${V1}/whois/${user.userId}`,
      "/_myelin/admin/v1/audit",
      `/_matrix/client/v3/admin/whois/${user.userId}`,
    ])
      expect(await allowed(path)).to.include("X-Myelin-Case, X-Myelin-Reason");
    expect(await allowed("/_matrix/client/v3/sync")).not.to.include("X-Myelin");
  });
});

describe("cases, unless they are asked for", () => {
  const server = useServer();

  it("are not needed, so that tools which know nothing of them can read", async () => {
    const root = await administrator(server, "root", "system-admin");
    must(await root.get(`${V1}/whois/${root.userId}`));
    const user = await server.user("user");
    must(await root.get(`${V1}/users/${user.userId}/accountdata`));
  });
});
