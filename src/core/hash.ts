import { hash } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import type { EventTemplate, Pdu } from "./event.ts";
import { contentHashText, signedText, writeEventTexts } from "./event-texts.ts";
import type { RoomRules } from "./room-version.ts";

/** A SHA-256 is 43 characters of base64 and one of padding. */
const UNPADDED_LENGTH = 43;

/** In unpadded base64. */
export const sha256 = (text: string): string =>
  hash("sha256", text, "base64").slice(0, UNPADDED_LENGTH);

/** In URL-safe unpadded base64. */
export const sha256UrlSafe = (text: string): string =>
  hash("sha256", text, "base64url");

/** The hash of the whole event, in unpadded base64. */
export const contentHash = (
  rules: RoomRules,
  event: Pdu | EventTemplate,
): string =>
  sha256(contentHashText(rules, event, writeEventTexts(rules, event)));

/** The hash of the redacted event, in unpadded base64. */
export const referenceHash = (rules: RoomRules, pdu: Pdu): string =>
  sha256(signedText(writeEventTexts(rules, pdu)));

/** "The content hash … is base64-decoded, and the two are compared for equality." */
export function isSameHash(received: string, calculated: string): boolean {
  if (received === calculated) return true;
  const decoded = decodeBase64(received);
  return decoded?.equals(Buffer.from(calculated, "base64")) ?? false;
}
