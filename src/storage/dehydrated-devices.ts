import type { Sql } from "./database.ts";

export interface DehydratedDeviceRow {
  /** Null, as are the bytes, where it was removed. */
  deviceId: string | null;
  /** Another one for each that was uploaded. */
  position: number;
  keyId: number;
  sealed: Uint8Array | null;
}

/** The user's last dehydrated device, also if it was removed. */
export async function findDehydratedDevice(
  sql: Sql,
  userId: string,
): Promise<DehydratedDeviceRow | undefined> {
  const [row] = await sql<DehydratedDeviceRow[]>`
    select device_id, position, key_id, sealed from dehydrated_devices where user_id = ${userId}`;
  return row;
}
