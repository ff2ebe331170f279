import type { JsonObject, JsonValue } from "../json.ts";
import { THREAD_SUBSCRIPTION } from "./conditions.ts";
import type {
  PushAction,
  PushRule,
  PushRuleKind,
  PushRuleset,
} from "./ruleset.ts";

const SOUND: JsonObject = { set_tweak: "sound", value: "default" };
const RING: JsonObject = { set_tweak: "sound", value: "ring" };
const HIGHLIGHT: JsonObject = { set_tweak: "highlight" };
const ONE_TO_ONE: JsonObject = { kind: "room_member_count", is: "2" };

const matches = (key: string, pattern: string): JsonObject => ({
  kind: "event_match",
  key,
  pattern,
});

const is = (key: string, value: JsonValue): JsonObject => ({
  kind: "event_property_is",
  key,
  value,
});

/** Pushes every encrypted event, for the client to judge when it has opened it (MSC4028). */
export const ENCRYPTED_EVENT = ".org.matrix.msc4028.encrypted_event";

/** They silence threads that are not followed, and tell of those that are (MSC4306). */
export const THREAD_RULES = [
  ".io.element.msc4306.rule.unsubscribed_thread",
  ".io.element.msc4306.rule.subscribed_thread",
] as const;
const [UNSUBSCRIBED_THREAD, SUBSCRIBED_THREAD] = THREAD_RULES;

/**
 * Rules that are off until a client switches them on. Those for threads are switched on
 * with the first thread that a user follows: whose clients follow none would otherwise
 * hear of no reply any more.
 */
const OFF = [".m.rule.master", ENCRYPTED_EVENT, ...THREAD_RULES];

const rule = (
  ruleId: string,
  conditions: JsonObject[],
  actions: PushAction[] = [],
): PushRule => ({
  rule_id: ruleId,
  default: true,
  enabled: !OFF.includes(ruleId),
  conditions,
  actions,
});

/** Polls have stable ids, and the ids that clients still send (MSC3930). */
const POLLS = [
  { rule: ".m.rule", event: "m.poll" },
  { rule: ".org.matrix.msc3930.rule", event: "org.matrix.msc3381.poll" },
];

const pollUnderride = POLLS.flatMap((name) =>
  ["start", "end"].flatMap((step) => {
    const ofStep = matches("type", `${name.event}.${step}`);
    return [
      rule(
        `${name.rule}.poll_${step}_one_to_one`,
        [ONE_TO_ONE, ofStep],
        ["notify", SOUND],
      ),
      rule(`${name.rule}.poll_${step}`, [ofStep], ["notify"]),
    ];
  }),
);

/** The server-default rules of the specification (v1.19) for one user. */
export const defaultPushRules = (userId: string): PushRuleset => ({
  override: [
    rule(".m.rule.master", []),
    rule(ENCRYPTED_EVENT, [matches("type", "m.room.encrypted")], ["notify"]),
    rule(".m.rule.suppress_notices", [matches("content.msgtype", "m.notice")]),
    rule(
      ".m.rule.invite_for_me",
      [
        matches("type", "m.room.member"),
        matches("content.membership", "invite"),
        matches("state_key", userId),
      ],
      ["notify", SOUND],
    ),
    rule(".m.rule.member_event", [matches("type", "m.room.member")]),
    rule(
      ".m.rule.is_user_mention",
      [
        {
          kind: "event_property_contains",
          key: "content.m\\.mentions.user_ids",
          value: userId,
        },
      ],
      ["notify", SOUND, HIGHLIGHT],
    ),
    rule(
      ".m.rule.is_room_mention",
      [
        is("content.m\\.mentions.room", true),
        { kind: "sender_notification_permission", key: "room" },
      ],
      ["notify", HIGHLIGHT],
    ),
    rule(
      ".m.rule.tombstone",
      [matches("type", "m.room.tombstone"), matches("state_key", "")],
      ["notify", HIGHLIGHT],
    ),
    rule(".m.rule.reaction", [matches("type", "m.reaction")]),
    rule(".m.rule.room.server_acl", [
      matches("type", "m.room.server_acl"),
      matches("state_key", ""),
    ]),
    ...POLLS.map((name) =>
      rule(`${name.rule}.poll_response`, [
        matches("type", `${name.event}.response`),
      ]),
    ),
    rule(".m.rule.suppress_edits", [
      is("content.m\\.relates_to.rel_type", "m.replace"),
    ]),
  ],
  content: [],
  postcontent: [
    rule(UNSUBSCRIBED_THREAD, [
      { kind: THREAD_SUBSCRIPTION, subscribed: false },
    ]),
    rule(
      SUBSCRIBED_THREAD,
      [{ kind: THREAD_SUBSCRIPTION, subscribed: true }],
      ["notify", SOUND],
    ),
  ],
  room: [],
  sender: [],
  underride: [
    rule(".m.rule.call", [matches("type", "m.call.invite")], ["notify", RING]),
    rule(
      ".m.rule.encrypted_room_one_to_one",
      [ONE_TO_ONE, matches("type", "m.room.encrypted")],
      ["notify", SOUND],
    ),
    rule(
      ".m.rule.room_one_to_one",
      [ONE_TO_ONE, matches("type", "m.room.message")],
      ["notify", SOUND],
    ),
    rule(".m.rule.message", [matches("type", "m.room.message")], ["notify"]),
    rule(
      ".m.rule.encrypted",
      [matches("type", "m.room.encrypted")],
      ["notify"],
    ),
    ...pollUnderride,
  ],
});

/**
 * The user's rules among today's default rules. Of stored default rules only
 * `enabled` and `actions` count; those that are no longer default rules go.
 */
export function withDefaultRules(
  stored: Partial<PushRuleset>,
  userId: string,
): PushRuleset {
  const defaults = defaultPushRules(userId);
  const merge = (kind: keyof PushRuleset): PushRule[] => {
    const own = (stored[kind] ?? []).filter((known) => !known.default);
    const changed = new Map(
      (stored[kind] ?? [])
        .filter((known) => known.default)
        .map(({ rule_id, enabled, actions }) => [
          rule_id,
          { enabled, actions },
        ]),
    );
    const predefined = defaults[kind].map((known) => ({
      ...known,
      ...changed.get(known.rule_id),
    }));
    // The master rule has always a higher priority than any other rule.
    const masters = kind === "override" ? 1 : 0;
    return [
      ...predefined.slice(0, masters),
      ...own,
      ...predefined.slice(masters),
    ];
  };
  return {
    override: merge("override"),
    content: merge("content"),
    postcontent: merge("postcontent"),
    room: merge("room"),
    sender: merge("sender"),
    underride: merge("underride"),
  };
}

/** What is the user's of a ruleset: own rules, and the default rules that were changed. */
export function withoutDefaultRules(
  ruleset: PushRuleset,
  userId: string,
): PushRuleset {
  const defaults = defaultPushRules(userId);
  const strip = (kind: PushRuleKind): PushRule[] => {
    const texts = new Set(defaults[kind].map((rule) => JSON.stringify(rule)));
    return ruleset[kind].filter((rule) => !texts.has(JSON.stringify(rule)));
  };
  return {
    override: strip("override"),
    content: strip("content"),
    postcontent: strip("postcontent"),
    room: strip("room"),
    sender: strip("sender"),
    underride: strip("underride"),
  };
}
