import type { AdminRequest } from "../remote/ask-administration.ts";
import type { Column } from "./table.ts";
import { UsageError } from "./usage.ts";

/** What was given on the command line. */
export interface Given {
  /** By their names, in the order of `takes`. */
  words: readonly string[];
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** The id of a user, also of one who is named by the part before the colon. */
  userOf(name: string): string;
  nowMs: number;
  /** Asked for, or read from standard input, where the act takes one. */
  password: string;
}

type Option = { type: "string" | "boolean" };

export interface AdminAct {
  /** What has to be said. */
  takes: readonly string[];
  options?: Readonly<Record<string, Option>>;
  takesPassword?: true;
  asks(given: Given): AdminRequest;
  /** The list of the answer, and what is shown of it. */
  list?: { name: string; columns: readonly Column[] };
}

const A = "/_myelin/admin/v1";
const text: Option = { type: "string" };
const flag: Option = { type: "boolean" };
const paging = { from: text, limit: text };
const DAY_MS = 24 * 60 * 60 * 1000;

const get = (path: string, query: Record<string, unknown> = {}) => ({
  method: "GET",
  path: `${path}${queryOf(query)}`,
});

function queryOf(query: Record<string, unknown>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === false
      ? []
      : [`${name}=${encodeURIComponent(String(value))}`],
  );
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

const at = encodeURIComponent;

function numberIn({ options }: Given, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^\d{1,12}$/.test(value))
    return Number(value);
  throw new UsageError(`--${name} expects a number.`);
}

function endIn(given: Given): number | null {
  const days = numberIn(given, "days");
  return days === undefined ? null : given.nowMs + days * DAY_MS;
}

function needed({ options }: Given, name: string): string {
  const value = options[name];
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--${name} is missing.`);
}

const listOf = (value: unknown): string[] =>
  typeof value === "string" ? value.split(",").map((part) => part.trim()) : [];

const lock = (isLocked: boolean): AdminAct => ({
  takes: ["USER"],
  asks: ({ words: [user = ""], userOf }) => ({
    method: "PUT",
    path: `/_matrix/client/v1/admin/lock/${at(userOf(user))}`,
    body: { locked: isLocked },
  }),
});

/** The everyday acts, each one request to the admin API. */
export const ADMIN_ACTS: Readonly<Record<string, AdminAct>> = {
  "users list": {
    takes: [],
    options: { ...paging, name: text, locked: flag, admins: flag },
    asks: ({ options }) => get(`${A}/users`, { limit: 100, ...options }),
    list: {
      name: "users",
      columns: [
        ["USER", "name"],
        ["NAME", "displayname"],
        ["ADMIN", "admin"],
        ["LOCKED", "locked"],
        ["DEACTIVATED", "deactivated"],
        ["LAST SEEN", "last_seen_ts", "time"],
      ],
    },
  },
  "users show": {
    takes: ["USER"],
    asks: ({ words: [user = ""], userOf }) =>
      get(`${A}/users/${at(userOf(user))}`),
  },
  "users deactivate": {
    takes: ["USER"],
    options: { erase: flag },
    asks: ({ words: [user = ""], userOf, options }) => ({
      method: "POST",
      path: `/_synapse/admin/v1/deactivate/${at(userOf(user))}`,
      body: { erase: options["erase"] === true },
    }),
  },
  "users lock": lock(true),
  "users unlock": lock(false),
  "users reset-password": {
    takes: ["USER"],
    options: { "keep-sessions": flag },
    takesPassword: true,
    asks: ({ words: [user = ""], userOf, options, password }) => ({
      method: "POST",
      path: `/_synapse/admin/v1/reset_password/${at(userOf(user))}`,
      body: {
        new_password: password,
        logout_devices: options["keep-sessions"] !== true,
      },
    }),
  },
  "rooms list": {
    takes: [],
    options: { ...paging, search: text },
    asks: ({ options: { search, ...page } }) =>
      get(`${A}/rooms`, { limit: 100, ...page, search_term: search }),
    list: {
      name: "rooms",
      columns: [
        ["ROOM", "room_id"],
        ["NAME", "name"],
        ["ALIAS", "canonical_alias"],
        ["MEMBERS", "joined_members"],
        ["ENCRYPTION", "encryption"],
      ],
    },
  },
  "rooms show": {
    takes: ["ROOM"],
    asks: ({ words: [room = ""] }) => get(`${A}/rooms/${at(room)}`),
  },
  "rooms delete": {
    takes: ["ROOM"],
    options: { block: flag, keep: flag, message: text },
    asks: ({ words: [room = ""], options: { block, keep, message } }) => ({
      method: "DELETE",
      path: `/_synapse/admin/v2/rooms/${at(room)}`,
      body: {
        block: block === true,
        purge: keep !== true,
        ...(message !== undefined && { message }),
      },
    }),
  },
  "tokens list": {
    takes: [],
    asks: () => get(`${A}/tokens`),
    list: {
      name: "tokens",
      columns: [
        ["ID", "token_id"],
        ["NAME", "name"],
        ["PERMISSIONS", "permissions"],
        ["NETWORKS", "networks"],
        ["EXPIRES", "expires_ts", "time"],
      ],
    },
  },
  "tokens create": {
    takes: ["NAME"],
    options: { permissions: text, networks: text, days: text },
    asks: (given) => ({
      method: "POST",
      path: `${A}/tokens`,
      body: {
        name: given.words[0],
        permissions: listOf(needed(given, "permissions")),
        networks: listOf(given.options["networks"]),
        expires_ts: endIn(given) ?? given.nowMs + DAY_MS,
      },
    }),
  },
  "tokens revoke": {
    takes: ["ID"],
    asks: ({ words: [id = ""] }) => ({
      method: "DELETE",
      path: `${A}/tokens/${at(id)}`,
    }),
  },
  "registration-tokens list": {
    takes: [],
    asks: () => get(`${A}/registration-tokens`),
    list: {
      name: "registration_tokens",
      columns: [
        ["TOKEN", "token"],
        ["USES", "uses_allowed"],
        ["USED", "completed"],
        ["EXPIRES", "expiry_time", "time"],
      ],
    },
  },
  "registration-tokens create": {
    takes: [],
    options: { uses: text, days: text },
    asks: (given) => ({
      method: "POST",
      path: "/_synapse/admin/v1/registration_tokens/new",
      body: {
        uses_allowed: numberIn(given, "uses") ?? null,
        expiry_time: endIn(given),
      },
    }),
  },
  "registration-tokens delete": {
    takes: ["TOKEN"],
    asks: ({ words: [token = ""] }) => ({
      method: "DELETE",
      path: `/_synapse/admin/v1/registration_tokens/${at(token)}`,
    }),
  },
  "roles list": {
    takes: [],
    asks: () => get(`${A}/roles`),
    list: {
      name: "roles",
      columns: [
        ["ROLE", "role_id"],
        ["DESCRIPTION", "description"],
      ],
    },
  },
  "roles bindings": {
    takes: [],
    options: { ...paging, user: text, role: text },
    asks: ({ options: { user, ...rest }, userOf }) =>
      get(`${A}/role-bindings`, {
        ...{ limit: 100, ...rest },
        user_id: typeof user === "string" ? userOf(user) : undefined,
      }),
    list: {
      name: "role_bindings",
      columns: [
        ["BINDING", "binding_id"],
        ["USER", "user_id"],
        ["ROLE", "role"],
        ["SCOPE", "scope.kind"],
        ["OF", "scope.id"],
        ["EXPIRES", "expires_ts", "time"],
        ["BY", "granted_by"],
        ["REASON", "reason"],
      ],
    },
  },
  "roles grant": {
    takes: ["USER", "ROLE"],
    options: { reason: text, scope: text, days: text },
    asks: (given) => {
      const [user = "", role = ""] = given.words;
      const scope = given.options["scope"] ?? "server";
      const [, kind, id] = /^([a-z]+)(?::(.+))?$/.exec(String(scope)) ?? [];
      if (kind === undefined)
        throw new UsageError("--scope expects server, or KIND:ID.");
      return {
        method: "POST",
        path: `${A}/role-bindings`,
        body: {
          ...{ user_id: given.userOf(user), role },
          scope: { kind, ...(id !== undefined && { id }) },
          ...{ expires_ts: endIn(given), reason: needed(given, "reason") },
        },
      };
    },
  },
  "roles revoke": {
    takes: ["BINDING"],
    asks: ({ words: [id = ""] }) => ({
      method: "DELETE",
      path: `${A}/role-bindings/${at(id)}`,
    }),
  },
  "jobs list": {
    takes: [],
    options: { ...paging, state: text },
    asks: ({ options }) => get(`${A}/jobs`, { limit: 100, ...options }),
    list: {
      name: "jobs",
      columns: [
        ["JOB", "job_id"],
        ["KIND", "kind"],
        ["STATE", "state"],
        ["ROOM", "room_id"],
        ["USER", "user_id"],
        ["BY", "created_by"],
        ["NOT BEFORE", "not_before", "time"],
      ],
    },
  },
  "jobs cancel": {
    takes: ["JOB"],
    asks: ({ words: [id = ""] }) => ({
      method: "DELETE",
      path: `${A}/jobs/${at(id)}`,
    }),
  },
  "audit query": {
    takes: [],
    options: {
      ...{ ...paging, actor: text, action: text, target: text, result: text },
      ...{ "from-ts": text, "to-ts": text },
    },
    asks: ({ options: { "from-ts": fromTs, "to-ts": toTs, ...rest } }) =>
      get(`${A}/audit`, {
        ...{ dir: "b", limit: 50, ...rest },
        ...{ from_ts: fromTs, to_ts: toTs },
      }),
    list: {
      name: "records",
      columns: [
        ["SEQ", "seq"],
        ["WHEN", "ts", "time"],
        ["WHO", "actor.user_id"],
        ["AS", "actor.type"],
        ["ACTION", "action"],
        ["RESULT", "result"],
        ["WHOM", "resource.id"],
        ["REASON", "reason"],
      ],
    },
  },
  "alerts list": {
    takes: [],
    options: { ...paging, detector: text, open: flag },
    asks: ({ options: { open, ...rest } }) =>
      get(`${A}/alerts`, {
        ...{ dir: "b", limit: 50, ...rest },
        acknowledged: open === true ? "false" : undefined,
      }),
    list: {
      name: "alerts",
      columns: [
        ["ALERT", "alert_id"],
        ["WHEN", "raised_ts", "time"],
        ["SEVERITY", "severity"],
        ["DETECTOR", "detector"],
        ["USER", "user_id"],
        ["FACTS", "facts"],
        ["LOCKED", "locked"],
        ["ACKNOWLEDGED", "acknowledged_by"],
      ],
    },
  },
  "alerts acknowledge": {
    takes: ["ALERT"],
    options: { comment: text },
    asks: (given) => ({
      method: "POST",
      path: `${A}/alerts/${at(given.words[0] ?? "")}/acknowledge`,
      body: { comment: needed(given, "comment") },
    }),
  },
};
