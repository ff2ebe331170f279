import type { JsonObject } from "../../core/json.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { withHighTombstone } from "./high-tombstone.ts";
import type { EventDraft } from "./proposal.ts";

export type Preset = "private_chat" | "trusted_private_chat" | "public_chat";

/** What a client asks of a new room, checked. */
export interface RoomRequest {
  preset: Preset;
  rules: RoomRules;
  creationContent: JsonObject;
  powerLevelOverride: JsonObject;
  initialState: { type: string; stateKey: string; content: JsonObject }[];
  name?: string;
  topic?: string;
  alias?: string;
  invites: readonly string[];
  isDirect: boolean;
}

const PRESETS = {
  private_chat: { joinRule: "invite", history: "shared", guests: "can_join" },
  trusted_private_chat: {
    joinRule: "invite",
    history: "shared",
    guests: "can_join",
  },
  public_chat: { joinRule: "public", history: "shared", guests: "forbidden" },
} as const;

/** Object entries with names that a client chose, without touching prototypes. */
const merge = (...parts: JsonObject[]): JsonObject => {
  const merged: JsonObject = Object.create(null) as JsonObject;
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) merged[key] = value;
  }
  return merged;
};

/** Who has all power in the room besides its power levels (room version 12). */
export function additionalCreators({
  preset,
  creationContent,
  invites,
  rules,
}: RoomRequest): string[] {
  const asked = creationContent["additional_creators"];
  const listed = Array.isArray(asked)
    ? asked.filter((id) => typeof id === "string")
    : [];
  if (!rules.authorization.additionalCreators) return [];
  return [
    ...new Set(
      preset === "trusted_private_chat" ? [...listed, ...invites] : listed,
    ),
  ];
}

export function createContent(
  request: RoomRequest,
  creator: string,
): JsonObject {
  const { rules, creationContent } = request;
  const content = merge(creationContent, { room_version: rules.version });
  if (rules.authorization.creatorFromSender) delete content["creator"];
  else content["creator"] = creator;
  if (rules.authorization.additionalCreators) {
    const creators = additionalCreators(request).filter(
      (userId) => userId !== creator,
    );
    if (creators.length > 0) content["additional_creators"] = creators;
    else delete content["additional_creators"];
  }
  return content;
}

function powerLevels(request: RoomRequest, creator: string): JsonObject {
  const { rules, preset, invites, powerLevelOverride } = request;
  const areCreatorsPrivileged =
    rules.authorization.explicitlyPrivilegedCreators;
  const users: JsonObject = Object.create(null) as JsonObject;
  if (!areCreatorsPrivileged) {
    users[creator] = 100;
    if (preset === "trusted_private_chat")
      for (const userId of invites) users[userId] = 100;
  }
  const defaults: JsonObject = {
    users,
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.canonical_alias": 50,
      "m.room.avatar": 50,
      ...(areCreatorsPrivileged ? {} : { "m.room.tombstone": 100 }),
      "m.room.server_acl": 100,
      "m.room.encryption": 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: 0,
  };
  const levels = merge(defaults, powerLevelOverride);
  return areCreatorsPrivileged ? withHighTombstone(levels) : levels;
}

/**
 * The first state of a room after its create event, in the order that the
 * specification gives: the creator joins, power levels, alias, preset, initial
 * state, name and topic.
 * https://spec.matrix.org/v1.19/client-server-api/#creation
 */
export function initialDrafts(
  request: RoomRequest,
  creator: string,
  profile: JsonObject,
): [join: EventDraft, ...others: EventDraft[]] {
  const { preset, initialState, name, topic, alias } = request;
  const state = (
    type: string,
    content: JsonObject,
    stateKey = "",
  ): EventDraft => ({
    type,
    sender: creator,
    stateKey,
    content,
  });
  const given = new Set(
    initialState.map(({ type, stateKey }) => JSON.stringify([type, stateKey])),
  );
  const isGiven = (type: string) => given.has(JSON.stringify([type, ""]));
  const { joinRule, history, guests } = PRESETS[preset];
  const drafts: [EventDraft, ...EventDraft[]] = [
    state("m.room.member", merge(profile, { membership: "join" }), creator),
    state("m.room.power_levels", powerLevels(request, creator)),
  ];
  if (alias !== undefined)
    drafts.push(state("m.room.canonical_alias", { alias }));
  if (!isGiven("m.room.join_rules"))
    drafts.push(state("m.room.join_rules", { join_rule: joinRule }));
  if (!isGiven("m.room.history_visibility")) {
    drafts.push(
      state("m.room.history_visibility", { history_visibility: history }),
    );
  }
  if (guests === "can_join" && !isGiven("m.room.guest_access")) {
    drafts.push(state("m.room.guest_access", { guest_access: guests }));
  }
  for (const { type, stateKey, content } of initialState)
    drafts.push(state(type, content, stateKey));
  if (name !== undefined) drafts.push(state("m.room.name", { name }));
  if (topic !== undefined) {
    drafts.push(
      state("m.room.topic", {
        topic,
        "m.topic": { "m.text": [{ body: topic, mimetype: "text/plain" }] },
      }),
    );
  }
  return drafts;
}
