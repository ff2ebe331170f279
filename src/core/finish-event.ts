import { joinMembers, withMember } from "./canonical-json.ts";
import { eventIdFromText } from "./event-id.ts";
import { joinParts, type EventParts } from "./event-parts.ts";
import { assertEventSize } from "./event-size.ts";
import { contentHashText, signedText, writeEventTexts } from "./event-texts.ts";
import type { EventTemplate, Pdu } from "./event.ts";
import { sha256 } from "./hash.ts";
import type { RoomRules } from "./room-version.ts";
import { signText } from "./signing.ts";
import type { SigningKey } from "./signing-key.ts";

export interface FinishedEvent extends EventParts {
  pdu: Pdu;
  eventId: string;
}

/** `,"hashes":` and `,"signatures":` */
const MEMBER_BYTES = 10 + 14;

/**
 * Adds hashes, our signature and the id to an event that we built, and divides
 * it for storage. Each value is written once.
 *
 * @throws MatrixError M_BAD_JSON for content without canonical form, M_TOO_LARGE
 */
export function finishEvent(
  rules: RoomRules,
  template: EventTemplate,
  { serverName, keyId, privateKey }: SigningKey,
): FinishedEvent {
  const { kept, stripped } = writeEventTexts(rules, template);
  const hashText = contentHashText(rules, template, { kept, stripped });
  const hash = sha256(hashText);
  const hashes = `{"sha256":"${hash}"}`;
  const hashed = { kept: withMember(kept, ["hashes", hashes]), stripped };

  const signed = signedText(hashed);
  const signature = signText(signed, privateKey);
  const signatures = joinMembers([
    [serverName, joinMembers([[keyId, `"${signature}"`]])],
  ]);
  assertEventSize(
    template,
    Buffer.byteLength(hashText) +
      hashes.length +
      Buffer.byteLength(signatures) +
      MEMBER_BYTES,
  );
  return {
    pdu: {
      ...template,
      hashes: { sha256: hash },
      signatures: { [serverName]: { [keyId]: signature } },
    },
    eventId: eventIdFromText(rules, template, signed),
    ...joinParts({
      kept: withMember(hashed.kept, ["signatures", signatures]),
      stripped,
    }),
  };
}
