import { createHash } from "node:crypto";
import { canonicalJsonAsReceived } from "../../src/core/canonical-json.ts";
import { asJson, type EventTemplate } from "../../src/core/event.ts";
import {
  finishEvent,
  type FinishedEvent,
} from "../../src/core/finish-event.ts";
import type { RoomRules } from "../../src/core/room-version.ts";
import {
  privateKeyFromSeed,
  publicKeyOf,
  type SigningKey,
} from "../../src/core/signing-key.ts";
import type { VerifyKey } from "../../src/domain/rooms/verify-event.ts";

/** A server that exists by its key alone. */
export const foreignKey = (serverName: string, version = "1"): SigningKey => ({
  serverName,
  keyId: `ed25519:${version}`,
  privateKey: privateKeyFromSeed(
    createHash("sha256").update(`${serverName} ${version}`).digest(),
  ),
});

/** Finds the keys of every server made by `foreignKey`; ours are not asked for. */
export const foreignKeyOf = (serverName: string, keyId: string): VerifyKey => {
  const { privateKey } = foreignKey(serverName, keyId.split(":")[1]);
  return { publicKey: publicKeyOf(privateKey), validUntilTs: 8e15 };
};

/** An event as its server signs it. */
export const signForeign = (
  rules: RoomRules,
  template: EventTemplate,
  key: SigningKey,
): FinishedEvent => finishEvent(rules, template, key);

/** The event as it is sent. */
export const bytesOf = ({ pdu }: Pick<FinishedEvent, "pdu">): Uint8Array =>
  Buffer.from(canonicalJsonAsReceived(asJson(pdu)));
