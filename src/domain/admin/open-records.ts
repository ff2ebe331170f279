import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import type { AuditRow } from "../../storage/audit-log.ts";
import { AUDIT_CONTEXT } from "../../storage/seal-records.ts";

/** A record as its readers see it. */
export interface OpenedRecord extends JsonObject {
  seq: number;
  actor: JsonObject;
  resource: JsonObject;
}

/**
 * Opens what is sealed in records. Of who was erased, nothing opens any more: the
 * stand-in alone says which records are of one and the same.
 */
export async function openRecords(
  { keyring }: Pick<Edges, "keyring">,
  rows: readonly AuditRow[],
): Promise<OpenedRecord[]> {
  const records = rows.map(({ record }) => JSON.parse(record) as JsonObject);
  const parts = records.flatMap((record) => [
    sealedIn(record, "actor"),
    sealedIn(record, "resource"),
  ]);
  const sealed = parts.flatMap((part) => part ?? []);
  const opened = await keyring.openAll(sealed);
  const texts = new Map(sealed.map((part, i) => [part, opened[i]]));
  return rows.map(({ seq }, i) => {
    const { actor, resource, ...record } = records[i]!;
    const [who, whom] = [parts[2 * i], parts[2 * i + 1]];
    const { reason, before, after, ...about } = openedPart(
      resource,
      whom && [texts.get(whom)],
    );
    return {
      seq,
      ...record,
      ...(reason !== undefined && { reason }),
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
      actor: openedPart(actor, who && [texts.get(who)]),
      resource: about,
    };
  });
}

interface SealedPart {
  context: string;
  keyId: number;
  sealed: Uint8Array;
}

function sealedIn(record: JsonObject, name: string): SealedPart | undefined {
  const part = record[name];
  const sealed = isJsonObject(part) ? part["sealed"] : undefined;
  if (!Array.isArray(sealed)) return undefined;
  const [keyId, bytes] = sealed;
  if (typeof keyId !== "number" || typeof bytes !== "string") return undefined;
  const context = `${AUDIT_CONTEXT} ${name}`;
  return { context, keyId, sealed: Buffer.from(bytes, "base64") };
}

/** @param text what was sealed, in a list; undefined in it where its key is gone */
function openedPart(
  part: JsonValue | undefined,
  text: readonly (string | undefined)[] | undefined,
): JsonObject {
  const { id, ...others } = isJsonObject(part) ? part : {};
  const rest: JsonObject = Object.fromEntries(
    Object.entries(others).filter(([name]) => name !== "sealed"),
  );
  if (text === undefined) return { ...rest, ...(id !== undefined && { id }) };
  const [opened] = text;
  const pseudonym = id === undefined ? {} : { pseudonym: id };
  if (opened === undefined) return { ...rest, ...pseudonym, erased: true };
  return { ...rest, ...pseudonym, ...(JSON.parse(opened) as JsonObject) };
}
