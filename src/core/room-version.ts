import { MatrixError } from "./errors.ts";

/** What a redaction keeps of an object: `true` keeps the value whole. */
export type KeepTree = ReadonlyMap<string, true | KeepTree>;

export interface RedactionRules {
  /** The top-level keys that survive; all else at the top level goes. */
  topLevel: ReadonlySet<string>;
  /** By event type, what survives of `content`; a type not listed keeps `{}`. */
  content: ReadonlyMap<string, "all" | KeepTree>;
  /** `redacts` stands in `content`, no longer at the top level. */
  redactsInContent: boolean;
}

/** The authorisation rules that differ between room versions. */
export interface AuthorizationRules {
  /** Redactions need the redact level or the target's own domain (versions 1 and 2). */
  redactionAuth: boolean;
  /** `m.room.aliases` is allowed to the server that its state key names. */
  specialCaseAliases: boolean;
  /** Changes of `notifications` in power levels are limited by the sender's level. */
  limitNotificationsPowerLevels: boolean;
  knocking: boolean;
  restrictedJoin: boolean;
  knockRestricted: boolean;
  /** Power levels are integers; before, strings and floats are read as integers. */
  integerPowerLevels: boolean;
  /** The creator is the create event's sender; before, `content.creator`. */
  creatorFromSender: boolean;
  /** Creators have infinite power and must not be listed in `users`. */
  explicitlyPrivilegedCreators: boolean;
  additionalCreators: boolean;
  /** The room id is the create event's id, and that event is never an auth event. */
  roomIdIsCreateHash: boolean;
}

/** A room version as data. Code asks a rule, never the version's number. */
export interface RoomRules {
  version: string;
  eventIdFormat: "domain" | "hash" | "url-safe-hash";
  roomIdFormat: "domain" | "create-hash";
  stateResolution: "v1" | "v2" | "v2.1";
  /** Integers within ±(2^53−1) only; a breach is M_BAD_JSON or drops the event. */
  strictCanonicalJson: boolean;
  /** Signing keys are good only until their `valid_until_ts`. */
  enforceKeyValidity: boolean;
  redaction: RedactionRules;
  authorization: AuthorizationRules;
}

const keep = (...keys: (string | [key: string, tree: KeepTree])[]): KeepTree =>
  new Map(
    keys.map((key): [string, true | KeepTree] =>
      typeof key === "string" ? [key, true] : key,
    ),
  );

const without = <T>(set: ReadonlySet<T>, ...gone: T[]): ReadonlySet<T> =>
  new Set([...set].filter((item) => !gone.includes(item)));

const v1: RoomRules = {
  version: "1",
  eventIdFormat: "domain",
  roomIdFormat: "domain",
  stateResolution: "v1",
  strictCanonicalJson: false,
  enforceKeyValidity: false,
  redaction: {
    topLevel: new Set([
      "event_id",
      "type",
      "room_id",
      "sender",
      "state_key",
      "content",
      "hashes",
      "signatures",
      "depth",
      "prev_events",
      "prev_state",
      "auth_events",
      "origin",
      "origin_server_ts",
      "membership",
    ]),
    content: new Map<string, "all" | KeepTree>([
      ["m.room.member", keep("membership")],
      ["m.room.create", keep("creator")],
      ["m.room.join_rules", keep("join_rule")],
      [
        "m.room.power_levels",
        keep(
          "ban",
          "events",
          "events_default",
          "kick",
          "redact",
          "state_default",
          "users",
          "users_default",
        ),
      ],
      ["m.room.aliases", keep("aliases")],
      ["m.room.history_visibility", keep("history_visibility")],
    ]),
    redactsInContent: false,
  },
  authorization: {
    redactionAuth: true,
    specialCaseAliases: true,
    limitNotificationsPowerLevels: false,
    knocking: false,
    restrictedJoin: false,
    knockRestricted: false,
    integerPowerLevels: false,
    creatorFromSender: false,
    explicitlyPrivilegedCreators: false,
    additionalCreators: false,
    roomIdIsCreateHash: false,
  },
};

const v2: RoomRules = { ...v1, version: "2", stateResolution: "v2" };

const v3: RoomRules = {
  ...v2,
  version: "3",
  eventIdFormat: "hash",
  authorization: { ...v2.authorization, redactionAuth: false },
};

const v4: RoomRules = { ...v3, version: "4", eventIdFormat: "url-safe-hash" };

const v5: RoomRules = { ...v4, version: "5", enforceKeyValidity: true };

const v6Content = new Map(v5.redaction.content);
v6Content.delete("m.room.aliases");

const v6: RoomRules = {
  ...v5,
  version: "6",
  strictCanonicalJson: true,
  redaction: { ...v5.redaction, content: v6Content },
  authorization: {
    ...v5.authorization,
    specialCaseAliases: false,
    limitNotificationsPowerLevels: true,
  },
};

const v7: RoomRules = {
  ...v6,
  version: "7",
  authorization: { ...v6.authorization, knocking: true },
};

const v8: RoomRules = {
  ...v7,
  version: "8",
  redaction: {
    ...v7.redaction,
    content: new Map(v7.redaction.content).set(
      "m.room.join_rules",
      keep("join_rule", "allow"),
    ),
  },
  authorization: { ...v7.authorization, restrictedJoin: true },
};

const v9: RoomRules = {
  ...v8,
  version: "9",
  redaction: {
    ...v8.redaction,
    content: new Map(v8.redaction.content).set(
      "m.room.member",
      keep("membership", "join_authorised_via_users_server"),
    ),
  },
};

const v10: RoomRules = {
  ...v9,
  version: "10",
  authorization: {
    ...v9.authorization,
    knockRestricted: true,
    integerPowerLevels: true,
  },
};

const v11: RoomRules = {
  ...v10,
  version: "11",
  redaction: {
    topLevel: without(
      v10.redaction.topLevel,
      "prev_state",
      "origin",
      "membership",
    ),
    content: new Map(v10.redaction.content)
      .set(
        "m.room.member",
        keep("membership", "join_authorised_via_users_server", [
          "third_party_invite",
          keep("signed"),
        ]),
      )
      .set("m.room.create", "all")
      .set(
        "m.room.power_levels",
        keep(
          "ban",
          "events",
          "events_default",
          "invite",
          "kick",
          "redact",
          "state_default",
          "users",
          "users_default",
        ),
      )
      .set("m.room.redaction", keep("redacts")),
    redactsInContent: true,
  },
  authorization: { ...v10.authorization, creatorFromSender: true },
};

const v12: RoomRules = {
  ...v11,
  version: "12",
  roomIdFormat: "create-hash",
  stateResolution: "v2.1",
  authorization: {
    ...v11.authorization,
    explicitlyPrivilegedCreators: true,
    additionalCreators: true,
    roomIdIsCreateHash: true,
  },
};

const rulesByVersion: ReadonlyMap<string, RoomRules> = new Map(
  [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12].map((rules) => [
    rules.version,
    rules,
  ]),
);

/** Every room version that this server can take part in, oldest first. */
export const roomVersions: readonly string[] = [...rulesByVersion.keys()];

export const DEFAULT_ROOM_VERSION = "12";

export function findRoomRules(version: string): RoomRules | undefined {
  return rulesByVersion.get(version);
}

/** @throws MatrixError M_UNSUPPORTED_ROOM_VERSION */
export function getRoomRules(version: string): RoomRules {
  const rules = rulesByVersion.get(version);
  if (rules === undefined) {
    throw new MatrixError(
      "M_UNSUPPORTED_ROOM_VERSION",
      "This server does not support that room version.",
    );
  }
  return rules;
}
