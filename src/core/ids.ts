import { MatrixError } from "./errors.ts";
import { isWithinBytes, MAX_ID_BYTES } from "./event-size.ts";
import { isServerName } from "./server-name.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Branded<"UserId">;
export type RoomId = Branded<"RoomId">;
export type EventId = Branded<"EventId">;
export type RoomAlias = Branded<"RoomAlias">;
export type DeviceId = Branded<"DeviceId">;

const UNFIT = /[\0\p{Surrogate}]/u;
const NEW_LOCALPART = /^[a-z0-9._=/+-]+$/;
const COMPLIANT_LOCALPART = /^[\x21-\x7e]+$/;
const HASH = /^[A-Za-z0-9_-]{43}$/;

/** At most 255 bytes, without NUL and lone surrogates. */
const isFit = (text: string): boolean =>
  isWithinBytes(text, MAX_ID_BYTES) && !UNFIT.test(text);

/** `sigil localpart ":" server_name`, the localpart being any text but for colons. */
function hasDomainForm(sigil: string, id: string): boolean {
  const colon = id.indexOf(":");
  return (
    colon !== -1 &&
    id.startsWith(sigil) &&
    isFit(id) &&
    isServerName(id.slice(colon + 1))
  );
}

/**
 * Any user id that servers must accept, so also the historical ones, whose
 * localpart may hold anything and even be empty.
 */
export const isUserId = (id: string): id is UserId => hasDomainForm("@", id);

/** Whether the id may be shown to clients outside of events. */
export const isCompliantUserId = (id: string): id is UserId =>
  isUserId(id) && COMPLIANT_LOCALPART.test(localpartOf(id));

/** @throws MatrixError M_INVALID_PARAM */
export function parseUserId(id: string): UserId {
  if (isUserId(id)) return id;
  throw new MatrixError("M_INVALID_PARAM", "That is not a user id.");
}

/**
 * The user id for a new account, by the grammar that no two ids of different
 * case or script can meet.
 *
 * @throws MatrixError M_INVALID_USERNAME
 */
export function parseNewUserId(localpart: string, serverName: string): UserId {
  const id = `@${localpart}:${serverName}`;
  if (!NEW_LOCALPART.test(localpart)) {
    throw new MatrixError(
      "M_INVALID_USERNAME",
      "A user name has only the characters a-z, 0-9, and . _ = - / +",
    );
  }
  if (!isUserId(id)) {
    throw new MatrixError("M_INVALID_USERNAME", "The user name is too long.");
  }
  return id;
}

/** A room id of either form: opaque, or opaque with the domain of older room versions. */
export function isRoomId(id: string): id is RoomId {
  return id.includes(":")
    ? hasDomainForm("!", id)
    : id.startsWith("!") && id.length > 1 && isFit(id);
}

/** Whether the id has the form of a create event's hash. */
export const isCreateHashRoomId = (id: string): id is RoomId =>
  id.startsWith("!") && HASH.test(id.slice(1));

/** An event id of any room version; those of versions 1 and 2 have a domain. */
export const isEventId = (id: string): id is EventId =>
  id.startsWith("$") && id.length > 1 && isFit(id);

export const isRoomAlias = (id: string): id is RoomAlias =>
  hasDomainForm("#", id);

export const isDeviceId = (id: string): id is DeviceId =>
  id !== "" && isFit(id);

/**
 * What stands behind the first colon of an id: the server of a user or an
 * alias. Room ids and event ids have it in older room versions only, and there
 * it says nothing of where the room is: it serves their auth rules alone.
 */
export function serverNameOf(id: string): string | undefined {
  const colon = id.indexOf(":");
  return colon === -1 ? undefined : id.slice(colon + 1);
}

/** What stands between the sigil and the first colon. */
export function localpartOf(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(":"));
}
