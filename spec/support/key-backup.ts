import { must } from "./rooms.ts";
import type { Json, TestClient } from "./server.ts";

export const ALGORITHM = "m.megolm_backup.v1.curve25519-aes-sha2";

export const backupInfo = (auth_data: Json = { public_key: "abcdefg" }) => ({
  algorithm: ALGORITHM,
  auth_data,
});

/** Begins a backup and answers its version. */
export const makeBackup = async (user: TestClient): Promise<string> =>
  must<{ version: string }>(await user.post("/room_keys/version", backupInfo()))
    .version;

export interface KeyData extends Json {
  first_message_index: number;
  forwarded_count: number;
  is_verified: boolean;
  session_data: Json;
}

/** A session's key; what is encrypted of it says which one it is. */
export const keyData = (told: Partial<KeyData> = {}): KeyData => ({
  first_message_index: 10,
  forwarded_count: 5,
  is_verified: false,
  session_data: { ephemeral: "e", ciphertext: "c", mac: "m" },
  ...told,
});
