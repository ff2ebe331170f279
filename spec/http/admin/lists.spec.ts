import { expect } from "chai";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";
import { bindRole } from "../../support/administrators.ts";
import { uploadImage } from "../../support/media.ts";
import { makePublicRoom, must, path, say, send } from "../../support/rooms.ts";
import {
  useServer,
  type Json,
  type TestServer,
  type TestUser,
} from "../../support/server.ts";
import { apiDocument, resolve } from "../admin-document.ts";

const ROOT = "/_myelin/admin/v1";

/** Read onward from a place that is more than a number. */
const BY_PLACE = "/holds/{holdId}/events";

/** What grows and is read onward from a place. */
const ONWARD = [
  "/audit/checkpoints",
  BY_PLACE,
  "/holds/{holdId}/data",
  "/media/quarantine_changes",
];

/** What tells several things of one, and is no list of many. */
const OF_ONE: Readonly<Record<string, string>> = {
  "/me/permissions": "all that one person may do",
  "/audit/key": "the keys that followed from one another",
  "/egress": "a sum of what is configured",
  "/incidents/{incidentId}/blast-radius": "what one suspect did, counted",
  "/users/{userId}/consents": "all that one person agreed to",
  "/policies/{policyId}/diff": "what two documents differ in",
  "/rooms/{roomId}/messages": "as the client-server API pages it",
  "/rooms/{roomId}/hierarchy": "as the client-server API pages it",
  "/rooms/{roomId}/state": "as the client-server API has it",
};

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  enum?: string[];
  default?: unknown;
}

interface Listed {
  path: string;
  /** Of the answer. */
  schema: Schema;
  /** The members of the answer that are lists. */
  lists: string[];
  parameters: { name: string; schema: Schema }[];
}

/** Every operation that reads, and answers with a list at its top. */
const listed: Listed[] = Object.entries(apiDocument().paths).flatMap(
  ([whole, { get }]) => {
    const { content = {} } = (get?.responses["200"] ?? {}) as {
      content?: Record<string, { schema?: Schema }>;
    };
    const schema = content["application/json"]?.schema;
    if (!get || !schema) return [];
    const answer = resolve<Schema>(schema);
    const lists = Object.entries(answer.properties ?? {})
      .filter(([, member]) => member.type === "array")
      .map(([name]) => name);
    // A path that ends with an id is of one thing, whatever that has.
    if (lists.length === 0 || whole.endsWith("}")) return [];
    const parameters = get.parameters
      .map((each) => resolve(each))
      .filter((each) => each["in"] === "query")
      .map((each) => each as unknown as { name: string; schema: Schema });
    return [
      { path: whole.slice(ROOT.length), schema: answer, lists, parameters },
    ];
  },
);

const paged = listed.filter(
  (each) => !ONWARD.includes(each.path) && !(each.path in OF_ONE),
);

describe("lists of the admin API", () => {
  const shared = apiDocument().components.parameters as Record<string, unknown>;
  const parameter = ({ parameters }: Listed, name: string) =>
    parameters.find((each) => each.name === name);

  it("are all of them", () => {
    expect(paged.length).to.be.above(25);
    const known = listed.map((each) => each.path);
    expect(known).to.include.members([...ONWARD, ...Object.keys(OF_ONE)]);
  });

  for (const each of paged)
    it(`GET ${each.path} takes and answers what all do`, () => {
      expect(parameter(each, "from")).to.equal(shared["From"]);
      expect(parameter(each, "limit")).to.equal(shared["Limit"]);
      expect(parameter(each, "dir")).to.equal(shared["Direction"]);
      const order = parameter(each, "order_by")?.schema;
      expect(order?.type).to.equal("string");
      expect(order?.default).to.equal(order?.enum?.[0]);
      expect(each.lists).to.have.length(1);
      expect(each.schema.required).to.have.members([...each.lists, "total"]);
      expect(each.schema.properties).to.deep.include({
        total: { type: "integer", minimum: 0 },
        next_token: { type: "string" },
      });
    });

  for (const each of listed.filter(({ path: p }) => ONWARD.includes(p)))
    it(`GET ${each.path} is read onward as all logs are`, () => {
      expect(parameter(each, "from")?.schema.type).to.equal(
        each.path === BY_PLACE ? "string" : "integer",
      );
      expect(parameter(each, "limit")).to.equal(shared["Limit"]);
      expect(each.schema.required).to.deep.equal(each.lists);
      expect(Object.keys(each.schema.properties ?? {})).to.deep.equal([
        ...each.lists,
        "next_token",
      ]);
    });
});

describe("pages of the admin API's lists", () => {
  const server = useServer({ "approvals.required": ["rooms.takeover"] });
  let admin: TestUser;
  let ids: Readonly<Record<string, string>>;

  before(async () => {
    admin = await allRoles(server, "admin");
    await allRoles(server, "second");
    ids = await fill(server, admin);
  });

  const targetOf = ({ path: pattern }: Listed): string =>
    ROOT +
    pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const id = ids[name];
      if (id === undefined) throw new TypeError(`What is {${name}}?`);
      return encodeURIComponent(id);
    });

  interface Page {
    items: unknown[];
    total: number;
    next: string | undefined;
  }
  const pageOf = async (list: Listed, query: string): Promise<Page> => {
    const body = must<Json>(await admin.get(`${targetOf(list)}?${query}`));
    return {
      items: body[list.lists[0]!] as unknown[],
      total: Number(body["total"]),
      next: body["next_token"] as string | undefined,
    };
  };

  /** There is no federation, reading the log adds to it, and an incident's clock runs. */
  const moving = [
    ...["/federation/destinations/{destination}/rooms", "/audit"],
    "/incidents",
  ];
  const still = paged.filter((list) => !moving.includes(list.path));

  for (const list of still) {
    it(`GET ${list.path} is the same in pages, and in reverse`, async () => {
      const whole = await pageOf(list, "limit=500");
      expect(whole.total).to.equal(whole.items.length);
      expect(whole.next).to.equal(undefined);
      const size = Math.max(1, Math.ceil(whole.total / 3));
      const pages: unknown[] = [];
      for (let from: string | undefined = "0"; from !== undefined;) {
        const page = await pageOf(list, `limit=${size}&from=${from}`);
        expect(page.items.length).to.be.at.most(size);
        if (page.items.length > 0) expect(page.total).to.equal(whole.total);
        pages.push(...page.items);
        from = page.next;
      }
      expect(pages).to.deep.equal(whole.items);
      const reverse = await pageOf(list, "limit=500&dir=b");
      expect(reverse.items.toReversed()).to.deep.equal(whole.items);
      const beyond = await pageOf(list, `from=${whole.total}`);
      expect(beyond).to.deep.equal({
        items: [],
        total: whole.total,
        next: undefined,
      });
    });
  }

  for (const list of still)
    it(`GET ${list.path} takes each order that it names, and nothing else`, async () => {
      const order = list.parameters.find(({ name }) => name === "order_by");
      for (const name of order?.schema.enum ?? []) {
        const whole = await pageOf(list, `order_by=${name}&limit=500`);
        const query = `order_by=${name}&limit=500&dir=b`;
        const { items } = await pageOf(list, query);
        expect(items.toReversed(), name).to.deep.equal(whole.items);
      }
      for (const query of [
        ...["order_by=nonsense", "dir=x", "limit=0", "limit=501", "from=-1"],
        ...["limit=x", "limit=1&limit=2", "order_by="],
      ]) {
        const answer = await admin.get(`${targetOf(list)}?${query}`);
        expect(answer.status, query).to.equal(400);
        expect(answer.body["errcode"], query).to.equal("M_INVALID_PARAM");
      }
    });
});

async function allRoles(
  server: TestServer,
  localpart: string,
): Promise<TestUser> {
  const admin = await server.user(localpart);
  for (const roleId of BUILT_IN_ROLES.keys())
    await bindRole(server, admin.userId, roleId);
  return admin;
}

/** Some of everything; answers what stands in paths. */
async function fill(
  server: TestServer,
  admin: TestUser,
): Promise<Readonly<Record<string, string>>> {
  const users: TestUser[] = [];
  for (const name of ["ann", "ben", "cem"]) users.push(await server.user(name));
  const roomId = await makePublicRoom(admin);
  const A = `${ROOT}/`;
  const rule = { name: "r", effect: "allow", actions: ["call"] };
  const expires_ts = Date.now() + 3_600_000;
  must(await admin.post(`${A}groups`, { group_id: "all", description: "" }));
  let campaign: Json = {};
  for (const [i, user] of users.entries()) {
    const { userId, password } = user;
    const name = `n${i}`;
    await bindRole(server, userId, "helpdesk", {
      expiresInMs: 3_600_000 * (i + 1),
    });
    await makePublicRoom(user);
    must(await user.post(path`/rooms/${roomId}/join`));
    must(
      await user.post("/login", {
        ...{ type: "m.login.password", password },
        identifier: { type: "m.id.user", user: userId },
      }),
    );
    const eventId = await say(user, roomId, "hello");
    const report = { reason: "r" };
    must(await admin.post(path`/rooms/${roomId}/report/${eventId}`, report));
    must(await user.post(path`/rooms/${roomId}/report`, report));
    must(await admin.post(path`/users/${userId}/report`, report));
    for (const owner of [users[0]!, user]) {
      const url = `mxc://test/${await uploadImage(owner)}`;
      const content = { msgtype: "m.image", body: "i", url };
      await send(owner, roomId, "m.room.message", content);
    }
    must(await admin.post(`${A}groups`, { group_id: name, description: "" }));
    must(await admin.put(A + path`groups/all/members/${userId}`, {}));
    must(await admin.put(`${A}policies/p`, { rules: [rule] }));
    must(await admin.put(`${A}policies/${name}`, { rules: [rule] }));
    must(
      await admin.put(`${A}retention/policies/${name}`, {
        scope: { kind: "server" },
      }),
    );
    must(
      await admin.post(`${A}tokens`, {
        ...{ name, permissions: ["users.read"], expires_ts },
      }),
    );
    must(await admin.post(`${A}registration-tokens`, { token: name }));
    must(
      await admin.post(`${A}dsr`, {
        ...{ user_id: userId, kind: "access", due_days: i + 1 },
      }),
    );
    must(
      await admin.post(`${A}holds`, {
        ...{ name, case_id: "c", reason: "r", users: [userId] },
      }),
    );
    campaign = must<Json>(
      await admin.post(`${A}campaigns`, {
        name,
        content: { msgtype: "m.text", body: "read this" },
        audience: { kind: "users", users: users.map((each) => each.userId) },
      }),
    );
    must(
      await admin.post(`${A}incidents`, {
        ...{ title: name, severity: "low", summary: "s" },
      }),
    );
    // Each waits for a second person.
    const asked = await admin.post(A + path`rooms/${roomId}/make_room_admin`, {
      user_id: userId,
    });
    expect(asked.body["errcode"]).to.equal("ORG_MYELIN_APPROVAL_REQUIRED");
  }
  return {
    ...{ roomId, roomIdOrAlias: roomId, userId: users[0]!.userId },
    ...{ groupId: "all", policyId: "p", destination: "absent.test" },
    campaignId: String(campaign["campaign_id"]),
  };
}
