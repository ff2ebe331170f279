import type {
  PersonalPlace,
  PersonalRow,
} from "../../storage/personal-rows.ts";
import { unescapeText } from "../../storage/json-text.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import { deviceContext } from "../accounts/device-details.ts";
import { profileContext } from "../accounts/member-profile.ts";

/** What a table holds of a person, and what becomes of it. */
export interface PersonalTable extends PersonalPlace {
  /** Orders its rows. */
  key: readonly string[];
  /** Secrets, and what only this program reads: no export shows them. */
  hides: readonly string[];
  /** What the sealed column is bound to, where an export opens it. */
  opens?: (row: PersonalRow) => string;
  /** Which members of what was sealed are the person's to read; all unless said. */
  tells?: readonly string[];
  /** Why it stays when the person is erased. */
  staysSince?: string;
}

const text = (row: PersonalRow, column: string): string => String(row[column]);
/** `\x…` */
const hex = (row: PersonalRow, column: string): string =>
  text(row, column).slice(2);
const base64 = (row: PersonalRow, column: string): string =>
  Buffer.from(hex(row, column), "hex").toString("base64");

type Options = Partial<
  Pick<
    PersonalTable,
    "of" | "isByRoom" | "hides" | "opens" | "tells" | "staysSince"
  >
>;

const table = (
  name: string,
  key: readonly string[],
  { of = "user_id", isByRoom = false, hides = [], ...others }: Options = {},
): PersonalTable => ({ table: name, key, of, isByRoom, hides, ...others });

/** A context that begins with the column and the user, and goes on with columns. */
const bound =
  (name: string, ...columns: string[]) =>
  (row: PersonalRow): string =>
    [name, text(row, "user_id"), ...columns.map((c) => text(row, c))].join(" ");

const GRAPH = "The rooms' graph names its members.";

/**
 * All tables that name a person, in the order in which they are exported and erased. Events
 * and media are beside them: their rows are not all there is to them.
 */
export const PERSONAL_TABLES: readonly PersonalTable[] = [
  table("users", ["user_id"], {
    hides: ["password_hash", "is_shadow_banned"],
    staysSince: "A user ID is never given out again.",
  }),
  table("profile_fields", ["user_id", "name"], {
    opens: (row) => profileContext(text(row, "user_id"), text(row, "name")),
  }),
  table("account_data", ["user_id", "room_nid", "type"], {
    hides: ["media_ids"],
    opens: (row) =>
      accountDataContext(
        text(row, "user_id"),
        Number(row["room_nid"]),
        unescapeText(text(row, "type")),
      ),
  }),
  table("third_party_ids", ["user_id", "medium", "address_hash"], {
    hides: ["address_hash"],
    opens: (row) =>
      `third_party_ids.sealed ${text(row, "user_id")} ${text(row, "medium")} ${hex(row, "address_hash")}`,
  }),
  table("external_ids", ["provider", "subject_hash"], {
    hides: ["subject_hash"],
    opens: (row) =>
      `external_ids.sealed ${text(row, "user_id")} ${JSON.stringify(row["provider"])} ${hex(row, "subject_hash")}`,
  }),
  table("presence", ["user_id"], {
    opens: bound("presence.status_sealed"),
  }),
  table("typing", ["room_nid", "user_id"], { isByRoom: true }),
  table("user_activity", ["user_id"]),
  // Where a session is, its tokens go with its device.
  table("access_tokens", ["token_id"], { hides: ["token_hash"] }),
  table("refresh_tokens", ["token_hash"], {
    hides: ["token_hash", "next_hash"],
  }),
  table("login_tokens", ["token_hash"], {
    hides: ["token_hash", "password_hash_digest"],
  }),
  table("openid_tokens", ["token_hash"], { hides: ["token_hash"] }),
  table("pushers", ["pusher_id"], {
    hides: ["key_hash"],
    opens: (row) =>
      `pushers.sealed ${text(row, "user_id")} ${hex(row, "key_hash")}`,
  }),
  table("dehydrated_devices", ["user_id"], {
    opens: bound("dehydrated_devices.sealed", "device_id"),
  }),
  // What is under way to a device is what others wrote.
  table("to_device", ["user_id", "device_id", "position", "ordinal"]),
  table("one_time_keys", ["user_id", "device_id", "algorithm", "key_id"]),
  table("fallback_keys", ["user_id", "device_id", "algorithm"]),
  table("device_keys", ["user_id", "device_id"]),
  table(
    "sliding_sync_states",
    ["user_id", "device_id", "conn_id", "seq", "state_id"],
    {
      hides: ["change"],
    },
  ),
  table("devices", ["user_id", "device_id"], {
    opens: (row) => deviceContext(text(row, "user_id"), text(row, "device_id")),
  }),
  table("cross_signing_keys", ["user_id", "usage"]),
  table("key_signatures", ["user_id", "target", "signer", "signing_key"], {
    hides: ["signed_hash"],
  }),
  table("backed_up_keys", ["user_id", "version", "room_id", "session_id"], {
    opens: bound("backed_up_keys.sealed", "version", "room_id", "session_id"),
  }),
  table("key_backups", ["user_id", "version"], {
    opens: bound("key_backups.sealed", "version"),
  }),
  table("device_list_changes", ["user_id", "position", "viewer"], {
    hides: ["viewer"],
    staysSince: "Others' devices learn by it that this user's keys are gone.",
  }),
  table("filters", ["user_id", "filter_id"], {
    hides: ["hash"],
    opens: bound("filters.sealed", "filter_id"),
  }),
  table("push_modes", ["user_id", "room_id"]),
  table("notifications", ["user_id", "room_nid", "position"]),
  table("receipts", ["room_nid", "user_id", "receipt_type", "thread"], {
    isByRoom: true,
  }),
  table("own_positions", ["room_nid", "user_id", "thread", "slice"], {
    isByRoom: true,
  }),
  table("thread_subscriptions", ["user_id", "room_nid", "thread"]),
  table("delayed_events", ["delay_key"], {
    hides: ["delay_key", "txn_key"],
    opens: (row) =>
      `delayed_events.sealed ${text(row, "user_id")} ${base64(row, "delay_key")}`,
  }),
  // What an invite showed of a room is the room's.
  table("stripped_states", ["user_id", "room_nid"]),
  table("notice_rooms", ["user_id"]),
  table("media_usage", ["user_id"]),
  table("reports", ["report_id"], {
    of: "reporter",
    opens: (row) => `reports.sealed ${text(row, "report_id")}`,
  }),
  table("role_bindings", ["binding_id"]),
  table("binding_users", ["binding_id", "user_id"]),
  table("user_group_members", ["group_id", "user_id"]),
  table("admin_tokens", ["token_id"], { hides: ["token_hash"] }),
  table("pending_erasures", ["user_id"]),
  table("user_attributes", ["user_id"]),
  table("withheld_rooms", ["user_id", "digest"]),
  table("known_places", ["user_id", "place_hash"]),
  table("download_counts", ["user_id", "span"]),
  // The audit log keeps that there was one; nobody is warned of what is looked for.
  table("alerts", ["alert_id"], {
    hides: [
      ...["detector", "severity", "subject", "span", "facts", "is_locked"],
      ...["record_seq", "acknowledged_ts", "comment"],
    ],
  }),
  table("privacy_requests", ["request_id"], {
    opens: (row) => `privacy_requests.sealed ${text(row, "request_id")}`,
    tells: ["message", "law", "extension"],
    staysSince:
      "It shows that a request was answered; what it says is sealed and gone.",
  }),
  table("consents", ["consent_id"]),
  // Until the account is made, who sent the list has what it is to be.
  table("import_rows", ["job_id", "line"], { hides: ["errcode"] }),
  table("device_wipes", ["wipe_id"]),
  table("campaign_members", ["campaign_id", "user_id"]),
  table("erasure_certificates", ["certificate_id"], {
    staysSince: "It proves the erasure.",
  }),
  table("memberships", ["user_id", "room_nid"], { staysSince: GRAPH }),
  table("stays", ["user_id", "room_nid", "joined_position"], {
    staysSince: GRAPH,
  }),
  table("room_aliases", ["alias"], {
    of: "creator",
    staysSince: "An alias is its room's.",
  }),
];

/** Tables that name users, or hold what is sealed, and are seen to in another way. */
export const OTHERWISE: Readonly<Record<string, string>> = {
  events: "exported and erased event by event",
  event_contents: "the sealed part of an event",
  media: "exported and erased file by file",
  media_blobs: "the bytes of a file, removed after its row",
  held_contents: "what a legal hold keeps, destroyed after its release",
  held_data: "what a legal hold keeps, destroyed after its release",
  keys: "destroyed first",
  audit_log: "exported by its stand-in; sealed under the user's key",
  admin_jobs: "what administrators had done, told for 90 days",
  approvals: "what administrators asked of one another, told for 400 days",
  room_turns: "who waits for a room, for moments",
  state_changes: "the rooms' graph",
  current_state: "the rooms' graph",
  batches: "whom a position woke",
  url_previews: "what pages say, which is nobody's",
};
