import { expect } from "chai";
import type { PushRule } from "../../../src/core/push/ruleset.ts";
import { findAccountDataText } from "../../../src/domain/accounts/account-data.ts";
import { setAccountData } from "../../../src/domain/accounts/update-account-data.ts";
import { useServer } from "../../support/server.ts";
import type { TestClient, TestUser } from "../../support/server.ts";

describe("push rules", () => {
  const server = useServer();
  const rule = { actions: ["notify"], conditions: [] };

  async function idsOf(user: TestUser, kind: string): Promise<string[]> {
    const { body } = await user.get("/pushrules/");
    const { global } = body as { global: Record<string, PushRule[]> };
    return global[kind]!.filter((r) => !r.default).map((r) => r.rule_id);
  }

  it("are the default ones for a new user, the same in both lists and in sync", async () => {
    const alice = await server.user("new");
    const { body: all } = await alice.get("/pushrules/");
    const { body: global } = await alice.get("/pushrules/global/");
    expect(all).to.deep.equal({ global });
    const { body: sync } = await alice.get("/sync");
    type Events = { events: { type: string; content: object }[] };
    const { events } = sync["account_data"] as Events;
    const stored = events.find(({ type }) => type === "m.push_rules");
    expect(stored?.content).to.deep.equal(all);
  });

  it("keep every change where many come at once, in two processes", async () => {
    const alice = await server.user("parallel");
    const second = (await server.startProcess()).as(alice);
    const ids = Array.from({ length: 12 }, (_, i) => `rule${i}`);
    const answers = await Promise.all(
      ids.map((id, i) => {
        const client: TestClient = i % 2 === 0 ? alice : second;
        return client.put(`/pushrules/global/override/${id}`, rule);
      }),
    );
    for (const { status } of answers) expect(status).to.equal(200);
    expect(await idsOf(alice, "override")).to.have.members(ids);
  });

  it("of a user's own are 10,000 at the most", async () => {
    const alice = await server.user("many");
    const rules = Array.from({ length: 9_970 }, (_, i) => ({
      rule_id: `@u${i}:test`,
      default: false,
      enabled: true,
      actions: [],
    }));
    await setAccountData(
      server.edges,
      { userId: alice.userId, roomNid: 0, type: "m.push_rules" },
      {
        global: { sender: rules },
      },
    );
    let status = 200;
    let added = 0;
    for (; status === 200 && added < 40; added++) {
      const path = `/pushrules/global/override/extra${added}`;
      ({ status } = await alice.put(path, rule));
    }
    expect(status).to.equal(400);
    const own = [
      ...(await idsOf(alice, "sender")),
      ...(await idsOf(alice, "override")),
    ];
    expect(own).to.have.lengthOf(10_000);
  });

  it("are refused where they have another form", async () => {
    const alice = await server.user("forms");
    const long = "x".repeat(301);
    const cases: [string, unknown][] = [
      ["/global/nothing/a", rule],
      ["/global/override/.a", rule],
      ["/global/override/a%5Cb", rule],
      ["/global/override/a%2Fb", rule],
      [`/global/override/${long}`, rule],
      ["/global/override/a", { conditions: [] }],
      ["/global/override/a", { ...rule, actions: "notify" }],
      ["/global/override/a", { ...rule, actions: [7] }],
      ["/global/override/a", { ...rule, conditions: [{}] }],
      ["/global/content/a", { actions: [] }],
      ["/global/content/a", { actions: [], pattern: "x".repeat(1025) }],
      ["/global/override/a?before=unknown", rule],
      ["/global/override/a?after=.m.rule.master", rule],
    ];
    for (const [path, body] of cases) {
      const { status } = await alice.put(`/pushrules${path}`, body);
      expect(status, `${path} ${JSON.stringify(body)}`).to.equal(400);
    }
    expect(await idsOf(alice, "override")).to.deep.equal([]);
  });

  it("cannot be deleted or found where they are not", async () => {
    const alice = await server.user("absent");
    for (const id of ["unknown", ".m.rule.master"]) {
      const path = `/pushrules/global/override/${id}`;
      expect((await alice.delete(path)).status).to.equal(404);
    }
    for (const part of ["", "/enabled", "/actions"]) {
      const path = `/pushrules/global/override/unknown${part}`;
      expect((await alice.get(path)).status).to.equal(404);
    }
    const path = "/pushrules/global/override/unknown/enabled";
    expect((await alice.put(path, { enabled: true })).status).to.equal(404);
  });

  it("are nobody else's", async () => {
    const alice = await server.user("owner");
    const bob = await server.user("other");
    await alice.put("/pushrules/global/override/mine", rule);
    expect(await idsOf(bob, "override")).to.deep.equal([]);
  });

  it("are stored without the default ones, which later versions may change", async () => {
    const alice = await server.user("stored");
    const stored = async () => {
      const type = "m.push_rules";
      const text = await findAccountDataText(
        server.edges,
        alice.userId,
        0,
        type,
      );
      const { global } = JSON.parse(text!) as {
        global: Record<string, PushRule[]>;
      };
      return Object.values(global)
        .flat()
        .map(({ rule_id }) => rule_id);
    };
    await alice.put("/pushrules/global/override/mine", rule);
    expect(await stored()).to.deep.equal(["mine"]);
    const path = "/pushrules/global/underride/.m.rule.message/actions";
    await alice.put(path, { actions: [] });
    expect(await stored()).to.have.members(["mine", ".m.rule.message"]);
    await alice.put(path, { actions: ["notify"] });
    expect(await stored()).to.deep.equal(["mine"]);
  });

  it("of a default kind keep what the user made of them", async () => {
    const alice = await server.user("defaults");
    const path = "/pushrules/global/underride/.m.rule.message";
    await alice.put(`${path}/actions`, { actions: [] });
    await alice.put(`${path}/enabled`, { enabled: false });
    expect((await alice.get(path)).body).to.deep.include({
      rule_id: ".m.rule.message",
      default: true,
      enabled: false,
      actions: [],
    });
  });
});
