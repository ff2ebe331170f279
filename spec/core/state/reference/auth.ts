import { createPublicKey, verify } from "node:crypto";
import type { Pdu, RoomEvent } from "../../../../src/core/event.ts";
import type { JsonObject, JsonValue } from "../../../../src/core/json.ts";
import { creatorsOf, integerOf, isObject, powerOf } from "./power.ts";

/** The state event of a type and state key. */
export type Find = (type: string, stateKey: string) => RoomEvent | undefined;

const domainOf = (id: string): string => id.slice(id.indexOf(":") + 1);
const isUserId = (id: JsonValue): boolean =>
  typeof id === "string" && /^@[^:]*:.+$/.test(id);

/** The state that "auth events selection" names, as types and state keys. */
export function selectSlowly(
  version: number,
  { type, sender, state_key: target, content }: Pdu,
): string[][] {
  if (type === "m.room.create") return [];
  const selected = [
    ["m.room.power_levels", ""],
    ["m.room.member", sender],
  ];
  if (version < 12) selected.push(["m.room.create", ""]);
  if (type === "m.room.member") {
    const { membership, third_party_invite: invite } = content;
    const authoriser = content["join_authorised_via_users_server"];
    if (target !== undefined) selected.push([type, target]);
    if (["join", "invite", "knock"].includes(String(membership)))
      selected.push(["m.room.join_rules", ""]);
    if (membership === "invite" && isObject(invite)) {
      const { signed } = invite;
      if (isObject(signed) && typeof signed["token"] === "string")
        selected.push(["m.room.third_party_invite", signed["token"]]);
    }
    if (membership === "join" && version >= 8 && typeof authoriser === "string")
      selected.push([type, authoriser]);
  }
  return selected;
}

/** The rule "considering the event's auth_events". */
export function areAuthEventsAllowed(
  version: number,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
): boolean {
  if (event.pdu.type === "m.room.create") return true;
  const keys = authEvents.map(({ pdu }) => `${pdu.type} ${pdu.state_key}`);
  const selected = selectSlowly(version, event.pdu).map((key) => key.join(" "));
  return (
    authEvents.length === event.authEventIds.length &&
    new Set(keys).size === keys.length &&
    keys.every((key) => selected.includes(key)) &&
    authEvents.every(({ isRejected }) => !isRejected) &&
    authEvents.every(({ roomId }) => roomId === event.roomId) &&
    (version >= 12 || keys.includes("m.room.create "))
  );
}

/** The other authorisation rules, each where the specification has it. */
export function isAllowed(
  version: number,
  event: RoomEvent,
  find: Find,
): boolean {
  const { type, sender, state_key: stateKey, content } = event.pdu;
  if (type === "m.room.create") return isCreateAllowed(version, event);
  const create = find("m.room.create", "");
  if (!create || create.isRejected) return false;
  if (version >= 12 && event.roomId.slice(1) !== create.eventId.slice(1))
    return false;
  if (
    create.pdu.content["m.federate"] === false &&
    domainOf(sender) !== domainOf(create.pdu.sender)
  )
    return false;
  if (version < 6 && type === "m.room.aliases")
    return stateKey === domainOf(sender);

  const levels = find("m.room.power_levels", "");
  const power = (user: string) => powerOf(version, create, levels, user);
  const level = (name: string, byDefault: number) =>
    integerOf(version, levels?.pdu.content[name]) ?? byDefault;
  const room: Room = {
    version,
    create,
    find,
    power,
    level,
    membership: (user) =>
      find("m.room.member", user)?.pdu.content["membership"],
  };
  if (type === "m.room.member") {
    const { membership, join_authorised_via_users_server: authoriser } =
      content;
    if (stateKey === undefined || membership === undefined) return false;
    if (version >= 8 && authoriser !== undefined) {
      const server = domainOf(String(authoriser));
      if (!event.pdu.signatures[server]) return false;
    }
    if (membership === "join") return isJoinAllowed(room, event, stateKey);
    if (membership === "invite") return isInviteAllowed(room, event, stateKey);
    if (membership === "leave") return isLeaveAllowed(room, sender, stateKey);
    if (membership === "ban")
      return (
        room.membership(sender) === "join" &&
        power(sender) >= level("ban", 50) &&
        power(stateKey) < power(sender)
      );
    if (membership === "knock" && version >= 7)
      return isKnockAllowed(room, sender, stateKey);
    return false;
  }
  if (room.membership(sender) !== "join") return false;
  if (type === "m.room.third_party_invite")
    return power(sender) >= level("invite", 0);

  const byType = levels?.pdu.content["events"];
  const required =
    (isObject(byType) ? integerOf(version, byType[type]) : undefined) ??
    (stateKey === undefined
      ? level("events_default", 0)
      : level("state_default", 50));
  if (required > power(sender)) return false;
  if (stateKey?.startsWith("@") && stateKey !== sender) return false;
  if (type === "m.room.power_levels") return arePowersAllowed(room, event);
  if (version < 3 && type === "m.room.redaction")
    return (
      power(sender) >= level("redact", 50) ||
      domainOf(event.pdu.redacts ?? "") === domainOf(event.eventId)
    );
  return true;
}

interface Room {
  version: number;
  create: RoomEvent;
  find: Find;
  power(user: string): number;
  level(name: string, byDefault: number): number;
  membership(user: string): JsonValue | undefined;
}

function isCreateAllowed(
  version: number,
  { eventId, roomId, pdu, prevEventIds }: RoomEvent,
): boolean {
  const { content, sender } = pdu;
  if (prevEventIds.length > 0) return false;
  if (version < 12 && domainOf(roomId) !== domainOf(sender)) return false;
  if (version >= 12 && pdu.room_id !== undefined) return false;
  // A create event is of the room that it names by its own id.
  if (version >= 12 && roomId.slice(1) !== eventId.slice(1)) return false;
  const named = content["room_version"];
  const known = Array.from({ length: 12 }, (_, i) => String(i + 1));
  if (named !== undefined && !known.includes(String(named))) return false;
  if (version < 11 && content["creator"] === undefined) return false;
  const more = content["additional_creators"];
  return (
    version < 12 ||
    more === undefined ||
    (Array.isArray(more) && more.every(isUserId))
  );
}

function isJoinAllowed(
  { version, create, find, power, level, membership }: Room,
  event: RoomEvent,
  target: string,
): boolean {
  const { sender, content } = event.pdu;
  const [creator] = creatorsOf(version, create);
  const previous = event.prevEventIds.join();
  if (previous === create.eventId && target === creator) return true;
  if (sender !== target) return false;
  const current = membership(sender);
  if (current === "ban") return false;
  const isIn = current === "invite" || current === "join";
  const rule = find("m.room.join_rules", "")?.pdu.content["join_rule"];
  if (rule === undefined || rule === "invite") return isIn;
  if (rule === "knock" && version >= 7) return isIn;
  if (
    (rule === "restricted" && version >= 8) ||
    (rule === "knock_restricted" && version >= 10)
  ) {
    const authoriser = content["join_authorised_via_users_server"];
    return (
      isIn ||
      (typeof authoriser === "string" &&
        membership(authoriser) === "join" &&
        power(authoriser) >= level("invite", 0))
    );
  }
  return rule === "public";
}

function isInviteAllowed(
  { find, power, level, membership }: Room,
  event: RoomEvent,
  target: string,
): boolean {
  const { sender, content } = event.pdu;
  const { third_party_invite: thirdParty } = content;
  if (thirdParty !== undefined) {
    if (membership(target) === "ban") return false;
    const signed = isObject(thirdParty) ? thirdParty["signed"] : undefined;
    if (!isObject(signed) || signed["mxid"] !== target) return false;
    const invite = find("m.room.third_party_invite", String(signed["token"]));
    return (
      invite?.pdu.sender === sender && hasSigned(invite.pdu.content, signed)
    );
  }
  return (
    membership(sender) === "join" &&
    membership(target) !== "join" &&
    membership(target) !== "ban" &&
    power(sender) >= level("invite", 0)
  );
}

/** "If any signature in signed matches any public key in the m.room.third_party_invite event." */
function hasSigned(invite: JsonObject, signed: JsonObject): boolean {
  const { public_keys: more, public_key: one } = invite;
  const keys = [
    one,
    ...(Array.isArray(more) ? more.filter(isObject) : []).map(
      ({ public_key: key }) => key,
    ),
  ];
  const { signatures, ...fields } = signed;
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(sorted));
  const all = Object.values(isObject(signatures) ? signatures : {});
  const urlSafe = (key: string): string =>
    Buffer.from(key, "base64").toString("base64url");
  return keys
    .filter((key) => typeof key === "string")
    .some((key) =>
      all
        .flatMap((ofServer) =>
          Object.values(isObject(ofServer) ? ofServer : {}),
        )
        .some((signature) =>
          verify(
            null,
            Buffer.from(text),
            createPublicKey({
              key: { kty: "OKP", crv: "Ed25519", x: urlSafe(key) },
              format: "jwk",
            }),
            Buffer.from(String(signature), "base64"),
          ),
        ),
    );
}

function isLeaveAllowed(
  { version, power, level, membership }: Room,
  sender: string,
  target: string,
): boolean {
  const current = membership(target);
  if (sender === target)
    return (
      current === "invite" ||
      current === "join" ||
      (current === "knock" && version >= 7)
    );
  if (membership(sender) !== "join") return false;
  if (current === "ban" && power(sender) < level("ban", 50)) return false;
  return power(sender) >= level("kick", 50) && power(target) < power(sender);
}

function isKnockAllowed(
  { version, find, membership }: Room,
  sender: string,
  target: string,
): boolean {
  const rule = find("m.room.join_rules", "")?.pdu.content["join_rule"];
  if (rule !== "knock" && !(rule === "knock_restricted" && version >= 10))
    return false;
  return (
    sender === target &&
    !["ban", "invite", "join"].includes(String(membership(sender)))
  );
}

const NAMED = [
  ...["users_default", "events_default", "state_default"],
  ...["ban", "redact", "kick", "invite"],
];

function arePowersAllowed(
  { version, create, find, power }: Room,
  { pdu: { sender, content } }: RoomEvent,
): boolean {
  const { users, events, notifications } = content;
  const isLevels = (value: JsonValue | undefined) =>
    value === undefined ||
    (isObject(value) &&
      Object.values(value).every(
        (one) => integerOf(version, one) !== undefined,
      ));
  if (version >= 10) {
    const named = NAMED.filter((name) => content[name] !== undefined);
    if (!named.every((name) => isLevels({ name: content[name]! })))
      return false;
    if (!isLevels(events) || !isLevels(notifications)) return false;
  }
  if (!isLevels(users)) return false;
  const listed = Object.keys(isObject(users) ? users : {});
  if (!listed.every(isUserId)) return false;
  if (
    version >= 12 &&
    creatorsOf(version, create).some((user) => listed.includes(String(user)))
  )
    return false;

  const before = find("m.room.power_levels", "")?.pdu.content;
  if (!before) return true;
  const own = power(sender);
  const read = (levels: JsonValue | undefined, name: string) =>
    isObject(levels) ? integerOf(version, levels[name]) : undefined;
  const isWithin = (
    was: JsonValue | undefined,
    is: JsonValue | undefined,
    names: string[],
  ) =>
    names.every((name) => {
      const [current, next] = [read(was, name), read(is, name)];
      return (
        current === next ||
        ((current ?? -Infinity) <= own && (next ?? -Infinity) <= own)
      );
    });
  const namesIn = (name: string) =>
    [before, content].flatMap(({ [name]: levels }) =>
      Object.keys(isObject(levels) ? levels : {}),
    );
  if (!isWithin(before, content, NAMED)) return false;
  const limited = version >= 6 ? ["events", "notifications"] : ["events"];
  for (const name of [...limited, "users"]) {
    if (!isWithin(before[name], content[name], namesIn(name))) return false;
  }
  return namesIn("users").every((user) => {
    const current = read(before["users"], user);
    return (
      user === sender ||
      current === undefined ||
      current === read(users, user) ||
      current < own
    );
  });
}
