import { createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  hasThirdPartyId,
  listOwnersOfAddresses,
  listThirdPartyIds,
} from "../../storage/third-party-ids.ts";
import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { Medium, WriteRows } from "../../storage/write.ts";

/** Of one line, and with no more than a mail server takes. */
const MAIL =
  /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,189}$/u;
/** As the specification has it: with the country, digits alone. */
const NUMBER = /^[1-9][0-9]{4,14}$/;

/** Notifications go to a user's own address alone, or anybody could have a stranger mailed. */
export async function assertOwnAddress(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
  address: string,
): Promise<void> {
  const hash = hashOf(settings, "email", address);
  if (settings.mail && (await hasThirdPartyId(db, userId, "email", hash)))
    return;
  throw new MatrixError(
    "M_THREEPID_NOT_FOUND",
    "This is no mail address of your account.",
  );
}

type Makes = Pick<Edges, "keyring" | "now" | "settings">;

/** Gives a user a mail address, to which notifications may then be sent, in the commit of its record. */
export async function addMailAddress(
  edges: Makes & Pick<Edges, "committer">,
  userId: string,
  address: string,
  audit: readonly AuditDraft[] = [],
): Promise<void> {
  assertThirdPartyId({ medium: "email", address });
  const row = await thirdPartyIdRow(edges, userId, "email", address);
  const outcome = await edges.committer.commit({
    ...{ positions: 1, activeUsers: [userId], audit },
    rows: { thirdPartyIds: [row] },
  });
  if (outcome.status === "committed") return;
  throw new MatrixError("M_NOT_FOUND", "There is no such user.");
}

/** @throws MatrixError M_INVALID_PARAM */
export function assertThirdPartyId({
  medium,
  address,
}: Pick<ThirdPartyId, "medium" | "address">): void {
  const form = medium === "email" ? MAIL : NUMBER;
  if (form.test(address)) return;
  throw new MatrixError(
    "M_INVALID_PARAM",
    medium === "email"
      ? "That is no mail address."
      : "That is no telephone number with its country, in digits.",
  );
}

/** A row for a write, sealed under the user's key. */
export async function thirdPartyIdRow(
  { keyring, now, settings }: Makes,
  userId: string,
  medium: Medium,
  address: string,
): Promise<WriteRows["thirdPartyIds"][number]> {
  const addressHash = hashOf(settings, medium, address);
  const context = contextOf(userId, medium, addressHash);
  const sealed = await keyring.sealForUser(userId, context, address);
  return { userId, medium, addressHash, createdTs: now(), ...sealed };
}

export interface ThirdPartyId {
  medium: Medium;
  address: string;
  addedTs: number;
}

/** What of a user can be read. */
export async function listOwnThirdPartyIds(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<ThirdPartyId[]> {
  const rows = await listThirdPartyIds(db, userId);
  const texts = await keyring.openAll(
    rows.map(({ medium, addressHash, keyId, sealed }) => ({
      context: contextOf(userId, medium, addressHash),
      keyId,
      sealed,
    })),
  );
  return rows.flatMap(({ medium, createdTs }, i) => {
    const address = texts[i];
    return address === undefined
      ? []
      : [{ medium, address, addedTs: createdTs }];
  });
}

/** Whose an address is; undefined where it is nobody's. */
export async function findOwnerOfAddress(
  { db, settings }: Pick<Edges, "db" | "settings">,
  medium: Medium,
  address: string,
): Promise<string | undefined> {
  const hash = hashOf(settings, medium, address);
  const [owner] = await listOwnersOfAddresses(db, medium, [hash]);
  return owner?.userId;
}

/** Which of these addresses are somebody's. */
export async function listTakenAddresses(
  { db, settings }: Pick<Edges, "db" | "settings">,
  medium: Medium,
  addresses: readonly string[],
): Promise<Set<string>> {
  const hashes = addresses.map((address) => hashOf(settings, medium, address));
  const owners = await listOwnersOfAddresses(db, medium, hashes);
  const taken = new Set(
    owners.map(({ addressHash }) => Buffer.from(addressHash).toString("hex")),
  );
  return new Set(
    addresses.filter((_, i) => taken.has(hashes[i]!.toString("hex"))),
  );
}

const contextOf = (
  userId: string,
  medium: Medium,
  addressHash: Uint8Array,
): string =>
  `third_party_ids.sealed ${userId} ${medium} ${Buffer.from(addressHash).toString("hex")}`;

/** Mail servers make no difference between cases, whatever they could do. */
const hashOf = (
  { password: { pepper } }: Edges["settings"],
  medium: Medium,
  address: string,
): Buffer =>
  createHmac("sha256", pepper)
    .update(`${medium}\n${address.toLowerCase()}`)
    .digest();
