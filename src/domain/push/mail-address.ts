import { createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  hasMailAddress,
  insertMailAddress,
  listMailAddresses,
} from "../../storage/mail-addresses.ts";

/** Of one line, and with no more than a mail server takes. */
const ADDRESS =
  /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,189}$/u;

/** Notifications go to a user's own address alone, or anybody could have a stranger mailed. */
export async function assertOwnAddress(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
  address: string,
): Promise<void> {
  const hash = hashOf(settings, address);
  if (settings.mail && (await hasMailAddress(db, userId, hash))) return;
  throw new MatrixError(
    "M_THREEPID_NOT_FOUND",
    "This is no mail address of your account.",
  );
}

/** Gives a user a mail address, to which notifications may then be sent. */
export async function addMailAddress(
  {
    db,
    keyring,
    now,
    settings,
  }: Pick<Edges, "db" | "keyring" | "now" | "settings">,
  userId: string,
  address: string,
): Promise<void> {
  if (!ADDRESS.test(address)) {
    throw new MatrixError("M_INVALID_PARAM", "That is no mail address.");
  }
  const addressHash = hashOf(settings, address);
  const context = contextOf(userId, addressHash);
  const sealed = await keyring.sealForUser(userId, context, address);
  const row = { userId, addressHash, createdTs: now(), ...sealed };
  if (await insertMailAddress(db, row)) return;
  throw new MatrixError("M_NOT_FOUND", "There is no such user.");
}

export interface MailAddress {
  address: string;
  addedTs: number;
}

/** The addresses of a user that can be read. */
export async function listOwnMailAddresses(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<MailAddress[]> {
  const rows = await listMailAddresses(db, userId);
  const texts = await keyring.openAll(
    rows.map(({ addressHash, keyId, sealed }) => ({
      context: contextOf(userId, addressHash),
      keyId,
      sealed,
    })),
  );
  return rows.flatMap(({ createdTs }, i) => {
    const address = texts[i];
    return address === undefined ? [] : [{ address, addedTs: createdTs }];
  });
}

const contextOf = (userId: string, addressHash: Uint8Array): string =>
  `mail_addresses.sealed ${userId} ${Buffer.from(addressHash).toString("hex")}`;

/** Mail servers make no difference between cases, whatever they could do. */
const hashOf = (
  { password: { pepper } }: Edges["settings"],
  address: string,
): Buffer =>
  createHmac("sha256", pepper)
    .update(`mail address\n${address.toLowerCase()}`)
    .digest();
