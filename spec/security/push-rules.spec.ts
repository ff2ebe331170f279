import { expect } from "chai";
import { defaultPushRules } from "../../src/core/push/default-rules.ts";
import { setAccountData } from "../../src/domain/accounts/update-account-data.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { act, makeRoom, must, path, say } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";

const quiet = { actions: [], pattern: "x" };
const rule = (kind: string, ruleId: string) =>
  path`/pushrules/global/${kind}/${ruleId}`;

const TRIES = 10;
/** Of row 48, for a body of 64 KiB. */
const MOST_MS_A_RULE = 2;

describe("abuse of push rules", () => {
  const server = useServer();

  /** A user with so many rules of their own, put there at once. */
  async function userWith(name: string, count: number): Promise<TestUser> {
    const user = await server.user(name);
    const content = Array.from({ length: count }, (_, i) => ({
      rule_id: `r${i}`,
      default: false,
      enabled: true,
      ...quiet,
    }));
    const global = { ...defaultPushRules(user.userId), content };
    const stored = { global } as unknown as JsonObject;
    await setAccountData(
      server.edges,
      { userId: user.userId, roomNid: 0, type: "m.push_rules" },
      stored,
    );
    return user;
  }

  it("GHSA-fp53-rw9v-hcf9: refuses rule 10,001, of whatever kind, and lets those that stand be changed", async () => {
    const alice = await userWith("alice", 9_999);
    must(await alice.put(rule("content", "last"), quiet));
    for (const kind of ["override", "underride", "content"]) {
      const more = await alice.put(rule(kind, "more"), quiet);
      expect(more.status, more.text).to.equal(400);
    }
    for (const [kind, id] of [
      ["room", "!a:test"],
      ["sender", "@a:test"],
    ] as const) {
      const more = await alice.put(rule(kind, id), quiet);
      expect(more.status, more.text).to.equal(400);
    }
    must(await alice.put(rule("content", "r5"), { ...quiet, pattern: "y" }));
    must(await alice.delete(rule("content", "r6")));
    must(await alice.put(rule("sender", "@a:test"), quiet));
    await new SyncReader(alice).next();
  });

  it("GHSA-fp53-rw9v-hcf9: bounds ids to 300 bytes, patterns to 1,024 and all rules to 4 MiB", async () => {
    const bob = await server.user("bob");
    for (const [id, status] of [
      ["x".repeat(300), 200],
      ["x".repeat(301), 400],
      ["é".repeat(150), 200],
      ["é".repeat(151), 400],
    ] as const) {
      const answer = await bob.put(rule("content", id), quiet);
      expect(answer.status, answer.text).to.equal(status);
    }
    for (const [pattern, status] of [
      ["y".repeat(1_024), 200],
      ["y".repeat(1_025), 400],
    ] as const) {
      const content = await bob.put(rule("content", "p"), {
        ...quiet,
        pattern,
      });
      expect(content.status, content.text).to.equal(status);
      const condition = { kind: "event_match", key: "content.body", pattern };
      const override = await bob.put(rule("override", "p"), {
        actions: [],
        conditions: [condition],
      });
      expect(override.status, override.text).to.equal(status);
    }
    const actions = [{ set_tweak: "sound", value: "z".repeat(17_000) }];
    const target = `${rule("underride", ".m.rule.message")}/actions`;
    const answer = await bob.put(target, { actions });
    expect(answer.status).to.be.oneOf([400, 413]);

    const heavy = await server.user("heavy");
    const large = { set_tweak: "x", value: "z".repeat(15_000) };
    const rules = Array.from({ length: 278 }, (_, i) => ({
      rule_id: `r${i}`,
      default: false,
      enabled: true,
      actions: [large],
      pattern: "x",
    }));
    const global = { ...defaultPushRules(heavy.userId), content: rules };
    const stored = { global } as unknown as JsonObject;
    await setAccountData(
      server.edges,
      { userId: heavy.userId, roomNid: 0, type: "m.push_rules" },
      stored,
    );
    const body = { actions: [large, "notify"], pattern: "x" };
    const statuses = [];
    for (let i = 0; i < 3; i += 1)
      statuses.push((await heavy.put(rule("content", `m${i}`), body)).status);
    expect(statuses).to.include(400);
    const whole = await heavy.get("/pushrules/");
    expect(Buffer.byteLength(whole.text)).to.be.at.most(4.1 * 1024 * 1024);
  });

  it("Tuwunel 1.9.0: no place among the rules is a fault of the server", async () => {
    const carol = await server.user("carol");
    must(await carol.put(rule("content", "a"), quiet));
    must(await carol.put(rule("content", "b"), quiet));
    for (const place of ["before", "after"]) {
      for (const anchor of [
        "a",
        "b",
        "",
        "none",
        ".m.rule.master",
        ".m.rule.contains_user_name",
        "__proto__",
        "x".repeat(5_000),
      ]) {
        for (const id of ["a", "b", "new"]) {
          const query = `?${place}=${encodeURIComponent(anchor)}`;
          const answer = await carol.put(rule("content", id) + query, quiet);
          const label = `${place} ${anchor} ${id}: ${answer.text}`;
          expect(answer.status, label).to.be.oneOf([200, 400, 404]);
        }
      }
    }
    const both = `${rule("content", "a")}?before=b&after=new`;
    expect((await carol.put(both, quiet)).status).to.be.oneOf([200, 400]);
    must(await carol.get("/pushrules/"));
  });

  it("C10 row 48 CVE-2021-29471: rules of stars against a long message take little time", async () => {
    const dave = await server.user("dave");
    const erin = await server.user("erin");
    const roomId = await makeRoom(erin, { preset: "public_chat" });
    await act(dave, roomId, "join");
    const patterns = [
      "*a".repeat(500) + "b",
      "a*?".repeat(340) + "b",
      "*".repeat(1_024),
      "?*".repeat(512),
      "(a+)+$",
    ];
    for (const [i, pattern] of patterns.entries()) {
      const body = { actions: ["notify"], pattern };
      must(await dave.put(rule("content", `star${i}`), body));
      const conditions = [
        { kind: "event_match", key: "content.body", pattern },
      ];
      const override = { actions: ["notify"], conditions };
      must(await dave.put(rule("override", `star${i}`), override));
    }
    const plain = await makeRoom(erin, { preset: "public_chat" });
    await act(await server.user("frank"), plain, "join");
    const costOf = async (room: string): Promise<number> => {
      const cpu = process.cpuUsage();
      await say(erin, room, "a".repeat(60_000));
      const { user, system } = process.cpuUsage(cpu);
      return (user + system) / 1000;
    };
    // What else the process does is in some of them, and not in the least.
    const least = { ruled: Infinity, plain: Infinity };
    for (let i = 0; i < TRIES; i += 1) {
      least.plain = Math.min(least.plain, await costOf(plain));
      least.ruled = Math.min(least.ruled, await costOf(roomId));
    }
    const rules = 2 * patterns.length;
    expect(least.ruled - least.plain).to.be.below(rules * MOST_MS_A_RULE);
    await new SyncReader(dave).next();
  });
});
