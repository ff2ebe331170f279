import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, isObject, list, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { accountData, findEvent } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const RULE = "/pushrules/global/room/!foo:example.com";

/** The global rule set that a sync tells of, if any. */
const globalRules = (sync: JsonObject): unknown =>
  at(findEvent(accountData(sync), "m.push_rules"), "content", "global");

const roomRule = (sync: JsonObject): JsonObject | undefined =>
  list(globalRules(sync), "room").find(
    (rule) => rule["rule_id"] === "!foo:example.com",
  );

row(
  "csapi",
  "TestPushSync",
  "Push rules come down in an initial /sync",
  async (server) => {
    const alice = await server.user("push");
    const rules = globalRules(await alice.sync());
    if (!isObject(rules)) throw new Error("no push rules");
    const kinds = ["override", "content", "room", "sender", "underride"];
    expect(rules).to.include.keys(kinds);
    const ids = list(rules, "override").map((rule) => rule["rule_id"]);
    expect(ids).to.include(".m.rule.master");
    expect(await alice.mustGet("/pushrules/")).to.deep.equal({ global: rules });
  },
);

/** A poll that is not woken ends after the row has failed. */
const UNWOKEN_MS = 45_000;

/** Has a sync wait while the change is made, and returns the rule that the woken sync tells of. */
async function wokenBy(
  server: Server,
  before: (alice: User) => Promise<unknown>,
  change: (alice: User) => Promise<unknown>,
): Promise<JsonObject> {
  const alice = await server.user("push");
  await before(alice);
  const since = await alice.syncToken();
  const [sync] = await Promise.all([
    alice.syncUntil((seen) => isObject(globalRules(seen)), {
      since,
      timeout: UNWOKEN_MS,
    }),
    change(alice),
  ]);
  const rule = roomRule(sync);
  if (rule === undefined) throw new Error("the sync lacks the rule");
  return rule;
}

const add = (alice: User) => alice.mustPut(RULE, { actions: ["notify"] });

const setEnabled = (enabled: boolean) => (alice: User) =>
  alice.mustPut(`${RULE}/enabled`, { enabled });

row(
  "csapi",
  "TestPushSync",
  "Adding a push rule wakes up an incremental /sync",
  async (server) => {
    const rule = await wokenBy(server, () => Promise.resolve(), add);
    expect(rule).to.include({ enabled: true, default: false });
    expect(rule["actions"]).to.deep.equal(["notify"]);
  },
);

row(
  "csapi",
  "TestPushSync",
  "Disabling a push rule wakes up an incremental /sync",
  async (server) => {
    const rule = await wokenBy(server, add, setEnabled(false));
    expect(rule["enabled"]).to.equal(false);
  },
);

row(
  "csapi",
  "TestPushSync",
  "Enabling a push rule wakes up an incremental /sync",
  async (server) => {
    const before = async (alice: User) => {
      await add(alice);
      await setEnabled(false)(alice);
    };
    const rule = await wokenBy(server, before, setEnabled(true));
    expect(rule["enabled"]).to.equal(true);
  },
);

row(
  "csapi",
  "TestPushSync",
  "Setting actions for a push rule wakes up an incremental /sync",
  async (server) => {
    const actions = ["notify", { set_tweak: "highlight" }];
    const rule = await wokenBy(server, add, (alice) =>
      alice.mustPut(`${RULE}/actions`, { actions }),
    );
    expect(rule["actions"]).to.deep.equal(actions);
  },
);

row("csapi", "TestPushRuleCacheHealth", "", async (server) => {
  const alice = await server.user("push");
  const actions = ["notify", { set_tweak: "sound", value: "default" }];
  await alice.mustPut(path`/pushrules/global/sender/${alice.userId}`, {
    actions,
  });
  for (let again = 0; again < 2; again++) {
    const rules = await alice.mustGet("/pushrules/");
    const [rule] = list(rules, "global", "sender");
    expect(rule).to.include({ rule_id: alice.userId, enabled: true });
    expect(rule?.["actions"]).to.deep.equal(actions);
  }
});

const PREFIX = ".org.matrix.msc3930.rule";
const SOUND = { set_tweak: "sound", value: "default" };
const POLL_RULES = [
  { id: "poll_response", kind: "override", type: "response", actions: [] },
  ...["start", "end"].flatMap((type) => [
    {
      id: `poll_${type}_one_to_one`,
      kind: "underride",
      type,
      actions: ["notify", SOUND],
    },
    { id: `poll_${type}`, kind: "underride", type, actions: ["notify"] },
  ]),
];

row(
  "msc3930",
  "TestPollsLocalPushRules",
  "Polls push rules are correctly presented to the client",
  async (server) => {
    const alice = await server.user("polls");
    for (const { id, kind, type, actions } of POLL_RULES) {
      const rule = await alice.mustGet(
        `/pushrules/global/${kind}/${PREFIX}.${id}`,
      );
      expect(rule).to.include({ default: true, enabled: true });
      expect(rule["actions"], id).to.deep.equal(actions);
      const isEvent = {
        kind: "event_match",
        key: "type",
        pattern: `org.matrix.msc3381.poll.${type}`,
      };
      const isDirect = { kind: "room_member_count", is: "2" };
      const conditions = id.endsWith("one_to_one")
        ? [isDirect, isEvent]
        : [isEvent];
      expect(list(rule, "conditions"), id).to.have.deep.members(conditions);
    }
    const all = await alice.mustGet("/pushrules/");
    const order = list(all, "global", "underride").map((rule) =>
      String(rule["rule_id"]),
    );
    for (const type of ["start", "end"])
      expect(order.indexOf(`${PREFIX}.poll_${type}_one_to_one`)).to.be.below(
        order.indexOf(`${PREFIX}.poll_${type}`),
      );
  },
);
