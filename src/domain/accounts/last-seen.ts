import type { Edges } from "../../edges.ts";
import { findDevice, updateLastSeen } from "../../storage/sessions.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { deviceContext, type DeviceDetails } from "./device-details.ts";
import type { ClientOrigin } from "./requester.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now" | "log">;

const EVERY_MS = 60_000;
const noted = slot(() => new WeightedCache<string, number>(100_000, () => 1));

/** Remembers where a device was last seen, at most once a minute, beside the request. */
export function noteLastSeen(
  edges: Needs,
  { userId, deviceId }: { userId: string; deviceId: string },
  origin: ClientOrigin,
): void {
  const cache = edges.memory.of(noted);
  const key = `${userId} ${deviceId}`;
  const nowTs = edges.now();
  if ((cache.get(key) ?? -Infinity) > nowTs - EVERY_MS) return;
  cache.set(key, nowTs);
  store(edges, userId, deviceId, origin, nowTs).catch((error: unknown) => {
    edges.log.debug({ err: error }, "last-seen time could not be stored");
  });
}

async function store(
  { db, keyring }: Needs,
  userId: string,
  deviceId: string,
  { ip, userAgent }: ClientOrigin,
  nowTs: number,
): Promise<void> {
  const row = await findDevice(db, userId, deviceId);
  if (!row) return;
  const context = deviceContext(userId, deviceId);
  const [text] = await keyring.openAll([
    { context, keyId: row.keyId, sealed: row.sealed },
  ]);
  const details = text === undefined ? {} : (JSON.parse(text) as DeviceDetails);
  const next: DeviceDetails = {
    ...details,
    last_seen_ip: ip,
    last_seen_user_agent: userAgent.slice(0, 512),
  };
  const sealed = await keyring.sealForUser(
    userId,
    context,
    JSON.stringify(next),
  );
  await updateLastSeen(db, {
    userId,
    deviceId,
    lastSeenTs: nowTs,
    before: row.sealed,
    ...sealed,
  });
}
