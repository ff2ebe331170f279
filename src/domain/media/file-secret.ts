import type { Edges } from "../../edges.ts";
import type { Sealed } from "../../storage/write.ts";

/** What stands sealed beside a medium, for its uploader's key of the month to open. */
export interface FileSecret {
  /** What its bytes, and those of its thumbnails, are sealed under; null if they are not. */
  secret: Buffer | null;
  name: string | null;
}

interface Owned {
  mediaId: string;
  userId: string;
}

const contextOf = (mediaId: string): string => `media.sealed ${mediaId}`;

export async function sealFileSecret(
  { keyring, now }: Pick<Edges, "keyring" | "now">,
  { mediaId, userId }: Owned,
  { secret, name }: FileSecret,
): Promise<Sealed> {
  const text = JSON.stringify({
    ...(secret && { secret: secret.toString("base64") }),
    ...(name !== null && { name }),
  });
  return keyring.sealFileOf(userId, now(), contextOf(mediaId), text);
}

/** Undefined where its key is destroyed. */
export async function openFileSecret(
  { keyring }: Pick<Edges, "keyring">,
  row: { mediaId: string; keyId: number; sealed: Uint8Array },
): Promise<FileSecret | undefined> {
  const { mediaId, keyId, sealed } = row;
  const context = contextOf(mediaId);
  const [text] = await keyring.openAll([{ context, keyId, sealed }]);
  if (text === undefined) return undefined;
  const { secret, name } = JSON.parse(text) as {
    secret?: string;
    name?: string;
  };
  return {
    secret: secret === undefined ? null : Buffer.from(secret, "base64"),
    name: name ?? null,
  };
}

/** A new secret for a file; null where nothing is sealed. */
export async function newFileSecret(
  { keyring, random }: Pick<Edges, "keyring" | "random">,
  userId: string,
): Promise<Buffer | null> {
  const [key] = await keyring.prepare([
    { scope: "user", owner: userId, span: "" },
  ]);
  return key!.keyId === 0 ? null : random.bytes(32);
}
