import { expect } from "chai";
import { parse } from "yaml";
import type { PolicyDocument } from "../../../src/core/policy/document.ts";
import { deactivatePolicy } from "../../../src/domain/policies/activate.ts";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import {
  ADMIN,
  clearedOnly,
  policyMakers,
  type PolicyMakers,
} from "../../support/policies.ts";
import { makeRoom, must, path, say } from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

const POLICIES = `${ADMIN}/policies`;

describe("the admin API's policies", () => {
  const server = useServer();
  let makers: PolicyMakers;
  let author: TestUser;
  let activator: TestUser;

  before(async () => {
    makers = await policyMakers(server);
    ({ author, activator } = makers);
  });

  const draft = async (policyId: string, document: unknown) =>
    must<{ version: number }>(
      await author.put(`${POLICIES}/${policyId}`, document),
    ).version;
  const activate = (user: TestUser, policyId: string, version: number) =>
    user.post(`${POLICIES}/${policyId}/activate`, { version });
  const standing = async (policyId: string) =>
    must(await author.get(`${POLICIES}/${policyId}`));

  it("go from a draft to being in force, by somebody else than their author", async () => {
    const version = await draft("first", clearedOnly("join"));
    expect(version).to.equal(1);
    expect(await standing("first")).to.include({
      active_version: null,
      latest_version: 1,
    });
    const own = await activate(author, "first", 1);
    expect(own.status).to.equal(403);
    expect((await standing("first"))["active_version"]).to.equal(null);
    must(await activate(activator, "first", 1));
    expect(await standing("first")).to.include({
      active_version: 1,
      activated_by: activator.userId,
    });
    await makers.lift("first");
    expect((await standing("first"))["active_version"]).to.equal(null);
  });

  it("G9: leave a record of each change, in the commit of it", async () => {
    const before = (await readAudit(server)).length;
    await draft("recorded", clearedOnly("join"));
    await activate(author, "recorded", 1);
    must(await activate(activator, "recorded", 1));
    await makers.lift("recorded");
    const made = (await readAudit(server)).slice(before);
    expect(
      made.map(({ action, result, after = {} }) => [
        action,
        result,
        (after as Json)["version"],
      ]),
    ).to.deep.equal([
      ["policies.write", "allowed", 1],
      ["policies.activate", "denied", undefined],
      ["policies.activate", "allowed", 1],
      ["policies.activate", "allowed", null],
    ]);
  });

  it("keep what was written, tell what is other, and go back", async () => {
    const [rule] = clearedOnly("join").rules;
    const first: PolicyDocument = { rules: [rule!] };
    const second: PolicyDocument = {
      description: "the second",
      rules: [
        { name: "guests", effect: "deny", actions: ["call"] },
        { ...rule!, actions: ["join", "read"] },
      ],
    };
    await makers.enact("versions", first);
    await makers.enact("versions", second);
    const diff = must(
      await author.get(`${POLICIES}/versions/diff?from=1&to=2`),
    );
    expect(diff).to.deep.equal({
      added: [second.rules[0]],
      removed: [],
      changed: [{ from: rule, to: second.rules[1] }],
      is_reordered: false,
    });
    const { versions } = must<{ versions: Json[] }>(
      await author.get(`${POLICIES}/versions/versions`),
    );
    expect(versions.map(({ version }) => version)).to.deep.equal([1, 2]);
    const kept = must(await author.get(`${POLICIES}/versions/versions/1`));
    expect(kept["document"]).to.deep.equal(first);
    const own = await author.post(`${POLICIES}/versions/rollback`);
    expect(own.status).to.equal(403);
    must(await activator.post(`${POLICIES}/versions/rollback`));
    expect((await standing("versions"))["active_version"]).to.equal(1);
    await makers.lift("versions");
  });

  it("are exported as JSON and as YAML that says the same", async () => {
    const document: PolicyDocument = {
      description: 'a "quoted": # text\n- of lines',
      rules: [
        {
          name: "hours",
          effect: "allow",
          actions: ["admin", "send"],
          when: {
            any: [
              { time: { zone: "Asia/Shanghai", days: ["mon"], from: "08:00" } },
              { cidr: ["10.0.0.0/8", "fd00::/8"] },
              { in: ["staff", { user: "groups" }] },
              { eq: [{ env: "verified_device" }, true] },
              { in: [{ resource: "room_id" }, []] },
            ],
          },
        },
      ],
    };
    await draft("exported", document);
    const json = await author.get(`${POLICIES}/exported/export`);
    expect(JSON.parse(json.text)).to.deep.equal(document);
    const yaml = await author.get(`${POLICIES}/exported/export?format=yaml`);
    expect(parse(yaml.text)).to.deep.equal(document);
  });

  it("are refused where they are none, or know no bounds", async () => {
    const deep = (levels: number): object =>
      levels === 0 ? { cidr: ["10.0.0.1"] } : { not: deep(levels - 1) };
    const rule = (when: unknown) => ({
      rules: [{ name: "r", effect: "deny", actions: ["read"], when }],
    });
    const wrong: [unknown, string][] = [
      [{}, "M_MISSING_PARAM"],
      [{ rules: [] }, "M_INVALID_PARAM"],
      [rule({ eq: [1] }), "M_INVALID_PARAM"],
      [rule({ eq: [1, 1], cidr: ["10.0.0.1"] }), "M_INVALID_PARAM"],
      [rule({ run: "process.exit()" }), "M_INVALID_PARAM"],
      [rule({ eq: [{ user: "__proto__" }, 1] }), "M_INVALID_PARAM"],
      [rule({ cidr: ["10.0.0.0/33"] }), "M_INVALID_PARAM"],
      [rule({ time: { zone: "Nowhere/City" } }), "M_INVALID_PARAM"],
      [rule({ time: { zone: "UTC", from: "24:00" } }), "M_INVALID_PARAM"],
      [rule(deep(20)), "M_INVALID_PARAM"],
      [
        { rules: [...clearedOnly("join").rules, ...clearedOnly("join").rules] },
        "M_INVALID_PARAM",
      ],
      [
        { rules: [{ name: "r", effect: "deny", actions: ["fly"] }] },
        "M_INVALID_PARAM",
      ],
    ];
    for (const [document, errcode] of wrong) {
      const answer = await author.put(`${POLICIES}/wrong`, document);
      expect(answer.body["errcode"], answer.text).to.equal(errcode);
    }
  });

  it("never keep who puts them in force from taking them back", async () => {
    const document: PolicyDocument = {
      rules: [{ name: "nobody", effect: "deny", actions: ["admin"] }],
    };
    const version = await draft("lockout", document);
    const answer = await activate(activator, "lockout", version);
    expect(answer.body["errcode"]).to.equal("M_INVALID_PARAM");
    expect(answer.status).to.equal(400);
  });

  it("G9: decide what administrators may do, in can()", async () => {
    const helper = await administrator(server, "helper", "helpdesk");
    const target = await server.user("helped");
    const reset = () =>
      helper.post(`/_synapse/admin/v1/reset_password/${target.userId}`, {
        new_password: "another long password",
      });
    must(await reset());
    await makers.enact("admins", {
      rules: [
        {
          name: "no resets",
          effect: "deny",
          actions: ["admin"],
          when: { eq: [{ resource: "permission" }, "users.credentials"] },
        },
      ],
    });
    const refused = await reset();
    expect(refused.status).to.equal(403);
    expect(refused.body).to.include({
      ...{ errcode: "M_FORBIDDEN", "org.myelin.policy": "admins" },
    });
    expect(refused.body).to.not.have.property("org.myelin.permission");
    await makers.lift("admins");
    must(await reset());
  });

  it("say nothing of an administrator's own attributes, nor of what is known by itself", async () => {
    const target = (userId: string) =>
      `${ADMIN}${path`/users/${userId}/attributes`}`;
    const own = await author.put(target(author.userId), {
      attributes: { clearance: 9 },
    });
    expect(own.status).to.equal(403);
    const user = await server.user("described");
    const taken = await author.put(target(user.userId), {
      attributes: { groups: ["staff"] },
    });
    expect(taken.body["errcode"]).to.equal("M_INVALID_PARAM");
    await makers.describeUser(user.userId, { clearance: 2, team: ["a", "b"] });
    expect(must(await author.get(target(user.userId)))).to.deep.equal({
      attributes: { clearance: 2, team: ["a", "b"] },
    });
    const absent = await author.put(target("@absent:test"), {
      attributes: {},
    });
    expect(absent.status).to.equal(404);
  });

  it("are tried on what people did last", async () => {
    const user = await server.user("spoke");
    const roomId = await makeRoom(user);
    await makers.describeRoom(roomId, { level: 3 });
    await say(user, roomId, "a word");
    const { results } = must<{ results: Json[] }>(
      await author.post(`${POLICIES}/simulate`, {
        policy_id: "tried",
        document: clearedOnly("send"),
        last: 1,
      }),
    );
    expect(results).to.deep.equal([
      {
        user_id: user.userId,
        action: "send",
        room_id: roomId,
        event_type: "m.room.message",
        now: { allowed: true },
        then: {
          allowed: false,
          policy_id: "tried",
          version: 0,
          rule: "cleared only",
        },
      },
    ]);
    await say(user, roomId, "another word");
  });

  it("end on the command line, where they have locked everybody out", async () => {
    await makers.enact("ended", clearedOnly("join"));
    const before = (await readAudit(server)).length;
    await deactivatePolicy(server.edges, "command line", "ended");
    expect((await standing("ended"))["active_version"]).to.equal(null);
    const [record] = (await readAudit(server)).slice(before);
    expect(record).to.deep.include({
      action: "policies.activate",
      before: { policy: "ended", version: 1 },
      after: { policy: "ended", version: null },
    });
    expect(record!.actor).to.include({ type: "command line" });
  });

  it("are put in force once where many try at once, each version by its own rule", async () => {
    const versions = [
      await draft("raced", clearedOnly("join")),
      await draft("raced", clearedOnly("send")),
    ];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        activate(
          i % 2 === 0 ? activator : author,
          "raced",
          versions[i % 3 ? 1 : 0]!,
        ),
      ),
    );
    for (const [i, { status }] of answers.entries())
      expect(status).to.equal(i % 2 === 0 ? 200 : 403);
    const made = (await readAudit(server)).filter(
      ({ action, result, after = {} }) =>
        action === "policies.activate" &&
        result === "allowed" &&
        (after as Json)["policy"] === "raced",
    );
    expect(made).to.have.length(5);
    expect((await standing("raced"))["active_version"]).to.equal(
      (made.at(-1)!.after as Json)["version"],
    );
    await makers.lift("raced");
  });
});
