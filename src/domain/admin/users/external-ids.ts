import { createHmac } from "node:crypto";
import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import {
  findOwnerOfSubject,
  listExternalIds,
} from "../../../storage/external-ids.ts";
import type { WriteRows } from "../../../storage/write.ts";

/** Who somebody is to an identity provider. */
export interface ExternalId {
  provider: string;
  subject: string;
}

export async function readExternalIds(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<ExternalId[]> {
  const rows = await listExternalIds(db, userId);
  const texts = await keyring.openAll(
    rows.map(({ provider, subjectHash, keyId, sealed }) => ({
      context: contextOf(userId, provider, subjectHash),
      keyId,
      sealed,
    })),
  );
  return rows.flatMap(({ provider }, i) => {
    const subject = texts[i];
    return subject === undefined ? [] : [{ provider, subject }];
  });
}

export const findUserOfExternalId = (
  { db, settings }: Pick<Edges, "db" | "settings">,
  { provider, subject }: ExternalId,
): Promise<string | undefined> =>
  findOwnerOfSubject(db, provider, hashOf(settings, { provider, subject }));

/**
 * Rows that give these ids to a user.
 * @throws MatrixError M_UNKNOWN where one is somebody else's
 */
export async function externalIdRows(
  edges: Pick<Edges, "db" | "keyring" | "now" | "settings">,
  userId: string,
  ids: readonly ExternalId[],
): Promise<WriteRows["externalIds"]> {
  return Promise.all(
    ids.map(async ({ provider, subject }) => {
      const subjectHash = hashOf(edges.settings, { provider, subject });
      const owner = await findOwnerOfSubject(edges.db, provider, subjectHash);
      if (owner !== undefined && owner !== userId) {
        throw new MatrixError(
          "M_UNKNOWN",
          "This id of an identity provider is somebody else's.",
        );
      }
      const context = contextOf(userId, provider, subjectHash);
      const sealed = await edges.keyring.sealForUser(userId, context, subject);
      const createdTs = edges.now();
      return { provider, subjectHash, userId, createdTs, ...sealed };
    }),
  );
}

const contextOf = (
  userId: string,
  provider: string,
  subjectHash: Uint8Array,
): string =>
  `external_ids.sealed ${userId} ${JSON.stringify(provider)} ${Buffer.from(subjectHash).toString("hex")}`;

const hashOf = (
  { password: { pepper } }: Edges["settings"],
  { provider, subject }: ExternalId,
): Buffer =>
  createHmac("sha256", pepper)
    .update(JSON.stringify(["external id", provider, subject]))
    .digest();
