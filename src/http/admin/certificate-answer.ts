import { keyIdIn } from "../../core/destruction-certificate.ts";
import { object, TEXT } from "../json-schema.ts";

/** What a certificate says now, and by which key. */
export const SIGNED = { certificate: TEXT, signature: TEXT, key_id: TEXT };

/** What it said until it was known since when no copy can be read. */
export const SIGNED_FIRST = {
  signed_first: object(
    { certificate: TEXT, signature: TEXT },
    { key_id: TEXT },
  ),
};

interface Signatures {
  document: string;
  signature: string;
  lastDocument: string | null;
  lastSignature: string | null;
  keyId: string;
}

/** The texts that are signed, byte for byte, each with its signature and the key that made it. */
export function signaturesOf(row: Signatures) {
  const { document, signature, lastDocument, lastSignature } = row;
  if (lastDocument === null || lastSignature === null)
    return { certificate: document, signature, key_id: row.keyId };
  const lastKeyId = keyIdIn(lastDocument);
  // One that does not name its key took the place of the first one's in the row.
  const firstKeyId =
    keyIdIn(document) ?? (lastKeyId === undefined ? undefined : row.keyId);
  return {
    ...{ certificate: lastDocument, signature: lastSignature },
    key_id: lastKeyId ?? row.keyId,
    signed_first: {
      ...{ certificate: document, signature },
      ...(firstKeyId !== undefined && { key_id: firstKeyId }),
    },
  };
}
