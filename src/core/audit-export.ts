import { canonicalJson } from "./canonical-json.ts";
import { readJson } from "./json-reader.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { ChainLink, SignedCheckpoint } from "./audit-chain.ts";
import type { KeyRotation } from "./audit-keys.ts";

/** A line of an export that can be verified: a link, and what it says to its readers. */
export const linkLine = (link: ChainLink, opened?: JsonObject): string =>
  JSON.stringify({
    seq: link.seq,
    prev_hash: link.prevHash,
    hash: link.hash,
    record: link.record,
    ...(opened && { opened }),
  });

export const checkpointJson = ({
  checkpoint: { keyId, ...checkpoint },
  signature,
}: SignedCheckpoint): JsonObject => ({
  checkpoint: { ...checkpoint, key_id: keyId },
  signature,
});

export const checkpointLine = (signed: SignedCheckpoint): string =>
  JSON.stringify(checkpointJson(signed));

export const rotationJson = ({ seq, signed }: KeyRotation): JsonObject => ({
  seq,
  rotation: signed.statement,
  signature: signed.signature,
});

/** A key that signs what follows, where the record that names it is not in the export. */
export const rotationLine = (rotation: KeyRotation): string =>
  JSON.stringify(rotationJson(rotation));

export type ExportLine =
  | { kind: "link"; link: ChainLink; opened?: JsonObject }
  | { kind: "checkpoint"; signed: SignedCheckpoint }
  | { kind: "rotation"; rotation: KeyRotation };

/** Undefined for what is none of them. */
export function readExportLine(text: string): ExportLine | undefined {
  const line = parse(text);
  if (!line) return undefined;
  const { seq, record, prev_hash: prevHash, hash } = line;
  if (isPlace(seq) && isText(record) && isText(prevHash) && isText(hash))
    return {
      ...{ kind: "link", link: { seq, record, prevHash, hash } },
      ...(isJsonObject(line["opened"]) && { opened: line["opened"] }),
    };
  const { checkpoint, signature, rotation: statement } = line;
  if (isPlace(seq) && isJsonObject(statement) && isText(signature))
    return {
      kind: "rotation",
      rotation: { seq, signed: { statement, signature } },
    };
  if (!isJsonObject(checkpoint) || !isText(signature)) return undefined;
  const { server, ts, key_id: keyId, seq: place, hash: head } = checkpoint;
  if (!isText(server) || !isPlace(ts) || !isText(keyId)) return undefined;
  if (!isPlace(place) || !isText(head)) return undefined;
  return {
    kind: "checkpoint",
    signed: {
      checkpoint: { server, seq: place, hash: head, ts, keyId },
      signature,
    },
  };
}

function parse(text: string): JsonObject | undefined {
  try {
    const value = readJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isPlace = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Whether what stands beside a record for its readers is what the record says. Of sealed
 * parts only who holds the key can tell.
 */
export function isFaithful(record: string, opened: JsonObject): boolean {
  const { actor, resource, ...said } = parse(record) ?? {};
  return (
    isWithin(said, opened) &&
    isWithin(shown(actor), opened["actor"]) &&
    isWithin(shown(resource), opened["resource"])
  );
}

/** The part of who or what, as it is shown once its sealed half is opened. */
function shown(part: JsonValue | undefined): JsonObject {
  const { id, sealed, ...rest } = isJsonObject(part) ? part : {};
  if (id === undefined) return rest;
  return sealed === undefined ? { ...rest, id } : { ...rest, pseudonym: id };
}

const isWithin = (part: JsonObject, whole: JsonValue | undefined): boolean =>
  isJsonObject(whole) &&
  Object.entries(part).every(([name, value]) => {
    const other = whole[name];
    return other !== undefined && canonicalJson(other) === canonicalJson(value);
  });
