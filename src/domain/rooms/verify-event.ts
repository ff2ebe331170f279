import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { serverNameOf } from "../../core/ids.ts";
import { type InspectedEvent, inspectEvent } from "../../core/inspect-event.ts";
import { readJson } from "../../core/json-reader.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { RoomRules } from "../../core/room-version.ts";
import {
  findSignature,
  isSignedText,
  listSigningKeyIds,
} from "../../core/signing.ts";
import { asJson } from "../../core/event.ts";
import { dropped, type Dropped } from "./receipt.ts";
import type { RoomIdentity } from "./room-identity.ts";

/** A key that another server has published. */
export interface VerifyKey {
  /** In unpadded base64. */
  publicKey: string;
  /** In ms; `expired_ts` for an old key. */
  validUntilTs: number;
}

/** Undefined where the key is not known: its signatures count for nothing. */
export type KeyLookup = (
  serverName: string,
  keyId: string,
) => VerifyKey | undefined | Promise<VerifyKey | undefined>;

export interface Source {
  keyOf: KeyLookup;
  /** The server that sent the events, which need not be theirs. */
  origin: string;
}

const DAY_MS = 86_400_000;
/** "The lesser of this field and 7 days into the future". */
const MAX_KEY_AGE_MS = 7 * DAY_MS;
const MAX_KEYS = 8;

/** Also what an event makes us stumble over is its own misfortune. */
export function verifyEvents(
  edges: Pick<Edges, "log" | "now">,
  room: Pick<RoomIdentity, "roomId" | "rules">,
  inputs: readonly (Uint8Array | JsonValue)[],
  source: Source,
): Promise<(InspectedEvent | Dropped)[]> {
  const from = { ...source, now: edges.now() };
  return Promise.all(
    inputs.map((input) =>
      verifyEvent(room, input, from).catch((error: unknown) => {
        const { origin } = source;
        edges.log.warn(
          { err: error, origin },
          "an event could not be verified",
        );
        return dropped("The event could not be verified.");
      }),
    ),
  );
}

/**
 * Reads an event from another server and checks what can be said of it without
 * the room's other events: its form, its room, and its signatures.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
async function verifyEvent(
  room: Pick<RoomIdentity, "roomId" | "rules">,
  input: Uint8Array | JsonValue,
  source: Source & { now: number },
): Promise<InspectedEvent | Dropped> {
  const { roomId, rules } = room;
  const value = input instanceof Uint8Array ? read(rules, input) : input;
  if (value instanceof MatrixError) return dropped(value.message);
  const event = inspectEvent(rules, value);
  if ("invalid" in event) return dropped(event.invalid);
  if (event.roomId !== roomId) {
    return dropped("The event is of another room.", event.eventId);
  }
  for (const serverName of listSigners(rules, event, source.origin)) {
    if (!(await isSignedBy(rules, event, serverName, source))) {
      const reason = `The event is not signed by ${serverName}.`;
      return dropped(reason, event.eventId);
    }
  }
  return event;
}

function read(rules: RoomRules, bytes: Uint8Array): JsonValue | MatrixError {
  try {
    return readJson(bytes, {
      numbers: rules.strictCanonicalJson ? "strict-integers" : "keep-tokens",
    });
  } catch (error) {
    if (error instanceof MatrixError) return error;
    throw error;
  }
}

/** The servers without whose signature the event is nothing. */
function listSigners(
  { authorization, eventIdFormat }: RoomRules,
  { pdu, eventId }: InspectedEvent,
  origin: string,
): Set<string> {
  const { content, sender, type } = pdu;
  const signers = new Set<string>();
  const isMember = type === "m.room.member";
  // "If the event is a 3rd party invite, […] the server which actually sends the event may be
  // a different server."
  const isThirdPartyInvite =
    isMember &&
    content["membership"] === "invite" &&
    isJsonObject(content["third_party_invite"]);
  signers.add(isThirdPartyInvite ? origin : serverOf(sender));
  // "Room versions 1 and 2 also require that a signature is present from the domain in the
  // event_id, if it differs from the originating server."
  if (eventIdFormat === "domain") signers.add(serverOf(eventId));
  const authoriser = content["join_authorised_via_users_server"];
  if (
    authorization.restrictedJoin &&
    isMember &&
    content["membership"] === "join" &&
    typeof authoriser === "string"
  ) {
    signers.add(serverOf(authoriser));
  }
  return signers;
}

const serverOf = (id: string): string => serverNameOf(id) ?? "";

/** One good signature, and no bad one, of the server's known and valid keys. */
async function isSignedBy(
  { enforceKeyValidity }: RoomRules,
  { pdu, signedText }: InspectedEvent,
  serverName: string,
  { keyOf, now }: Source & { now: number },
): Promise<boolean> {
  const { signatures } = asJson(pdu);
  const keyIds = listSigningKeyIds(signatures, serverName).slice(0, MAX_KEYS);
  const keys = await Promise.all(
    keyIds.map(async (keyId) => ({
      key: await keyOf(serverName, keyId),
      signature: findSignature(signatures, serverName, keyId)!,
    })),
  );
  const checked = keys.flatMap(({ key, signature }) => {
    if (!key) return [];
    const validUntil = Math.min(key.validUntilTs, now + MAX_KEY_AGE_MS);
    if (enforceKeyValidity && pdu.origin_server_ts > validUntil) return [];
    return [isSignedText(signedText, signature, key.publicKey)];
  });
  return checked.length > 0 && checked.every((isGood) => isGood);
}
