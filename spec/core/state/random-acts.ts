import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { RoomEvent } from "../../../src/core/event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import {
  alice,
  bob,
  carol,
  dave,
  memberDraft,
  powerLevelsDraft,
  topicDraft,
  type Draft,
  type Room,
} from "../room-builder.ts";
import { isObject } from "./reference/power.ts";

/** On the server of Alice. */
const mallory = "@mallory:a.example";

export const USERS: readonly string[] = [alice, bob, carol, dave, mallory];

export type Act =
  | ("fork" | "merge" | "power" | "rule" | "topic" | "ban" | "kick" | "invite")
  | ("join" | "leave" | "knock" | "restricted" | "token" | "third-party")
  | ("aliases" | "own" | "message" | "redaction" | "create");

export interface Step {
  branch: number;
  act: Act;
  /** Places in `USERS`. */
  by: number;
  on: number;
  what: number;
  level: number;
  skew: number;
  isForced: boolean;
  isStale: boolean;
}

const RULES = [
  ...["public", "invite", "public", "restricted"],
  ...["knock", "restricted", "knock_restricted", "knock_restricted"],
];

export function draftOf(
  version: string,
  { act, by, on, what, level }: Step,
  room: Room,
): Draft | undefined {
  const sender = USERS[by]!;
  const target = USERS[on]!;
  switch (act) {
    case "power":
      return powerLevelsDraft(
        changeLevels(version, room, target, what, level),
        sender,
      );
    case "rule":
      return {
        type: "m.room.join_rules",
        stateKey: "",
        sender,
        content: { join_rule: RULES[what % RULES.length]! },
      };
    case "topic":
      return topicDraft("topic", sender);
    case "ban":
    case "invite":
      return memberDraft(target, act, sender);
    case "kick":
      return memberDraft(
        (what % 2 === 0 ? findBanned(room) : undefined) ?? target,
        "leave",
        sender,
      );
    case "leave":
      return memberDraft(sender, act);
    case "join":
    case "knock":
      return memberDraft(what === 0 ? target : sender, act, sender);
    case "restricted":
      return {
        ...memberDraft(sender, "join", sender, {
          join_authorised_via_users_server: target,
        }),
        signedBy: [sender, what === 0 ? sender : target].map(serverOf),
      };
    case "token":
      return {
        type: "m.room.third_party_invite",
        stateKey: tokenOf(what),
        sender,
        content:
          what % 4 === 0
            ? { public_keys: [{ public_key: KEY }] }
            : { public_key: KEY },
      };
    case "third-party":
      return thirdPartyInvite(room, target, what);
    case "aliases":
      return {
        type: "m.room.aliases",
        stateKey: serverOf(target),
        sender,
        content: { aliases: [] },
      };
    case "own":
      return { type: "x.own", stateKey: target, sender, content: {} };
    case "message":
      return { type: "m.room.message", sender };
    case "redaction":
      return { type: "m.room.redaction", sender, redacts: room.head!.eventId };
    case "create":
      if (what % 4 !== 0) return undefined;
      return {
        type: "m.room.create",
        stateKey: "",
        sender,
        content: {
          room_version: version,
          creator: sender,
          ...(what === 4 ? { "m.federate": false } : {}),
        },
      };
    case "fork":
    case "merge":
      return undefined;
  }
}

const findBanned = (room: Room): string | undefined =>
  USERS.find(
    (user) =>
      room.lookup("m.room.member", user)?.pdu.content["membership"] === "ban",
  );

/** What an allowed event did, in words. */
export function markOf({ act }: Step, { pdu }: RoomEvent, room: Room): string {
  const { content } = pdu;
  const rule = room.lookup("m.room.join_rules", "")?.pdu.content["join_rule"];
  const current = room.lookup("m.room.member", pdu.state_key ?? "")?.pdu
    .content;
  if (act === "restricted" && !String(rule).includes("restricted"))
    return "join";
  if (act === "kick" && current?.["membership"] === "ban") return "unban";
  if (act !== "power") return act;
  const before = room.lookup("m.room.power_levels", "")?.pdu.content["users"];
  const { users: after } = content;
  if (!isObject(before) || !isObject(after)) return act;
  return Object.keys(before).some(
    (user) => Number(after[user] ?? 0) < Number(before[user]),
  )
    ? "demotion"
    : act;
}

const serverOf = (user: string): string => user.slice(user.indexOf(":") + 1);
const tokenOf = (what: number): string => `token${what % 2}`;

/** The current levels with one of them changed, as clients do it. */
function changeLevels(
  version: string,
  room: Room,
  user: string,
  what: number,
  level: number,
): JsonObject {
  const content = room.lookup("m.room.power_levels", "")?.pdu.content ?? {};
  const named = ["ban", "kick", "invite", "state_default", "users_default"];
  const within = (name: string, key: string): JsonObject => ({
    ...content,
    [name]: { ...objectOf(content[name]), [key]: level },
  });
  if (what < named.length) return { ...content, [named[what]!]: level };
  if (what === 5) return within("events", "m.room.topic");
  if (what === 6) return within("notifications", "room");
  if (what === 7) return { ...content, redact: ` +${level} ` };
  if (what === 8) {
    const users = Object.entries(objectOf(content["users"]));
    const others = users.filter(([name]) => name !== user);
    return { ...content, users: Object.fromEntries(others) };
  }
  if (what === 9 || what === 10) return { ...content, invite: level };
  if (what === 11) return { ...content, ban: level };
  // Version 12 lists no creators, and rejects who does.
  return within(
    "users",
    what === 12 || version !== "12" || user !== alice ? user : bob,
  );
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

const SEED = "302e020100300506032b657004220420" + "07".repeat(32);
const privateKey = createPrivateKey({
  key: Buffer.from(SEED, "hex"),
  format: "der",
  type: "pkcs8",
});
const KEY = Buffer.from(
  createPublicKey(privateKey).export({ format: "jwk" }).x!,
  "base64url",
)
  .toString("base64")
  .replace(/=+$/, "");

/** An invite by the token's sender, seldom of another user or with a signature of something else. */
function thirdPartyInvite(
  room: Room,
  target: string,
  what: number,
): Draft | undefined {
  const token = tokenOf(what);
  const invite = room.lookup("m.room.third_party_invite", token);
  if (invite === undefined) return undefined;
  const mxid = what === 1 ? alice : target;
  const text = JSON.stringify({ mxid: what === 0 ? alice : mxid, token });
  const signature = sign(null, Buffer.from(text), privateKey)
    .toString("base64")
    .replace(/=+$/, "");
  return memberDraft(target, "invite", invite.pdu.sender, {
    third_party_invite: {
      signed: {
        mxid,
        token,
        signatures: { "id.example": { "ed25519:0": signature } },
      },
    },
  });
}
