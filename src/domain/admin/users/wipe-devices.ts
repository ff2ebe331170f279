import { setTimeout as sleep } from "node:timers/promises";
import { MatrixError } from "../../../core/errors.ts";
import type { Edges } from "../../../edges.ts";
import {
  listWipes as listWipesOf,
  type WipeRow,
} from "../../../storage/device-wipes.ts";
import { listTokens } from "../../../storage/sessions.ts";
import type { RecordedWrite } from "../../../storage/write.ts";
import { listDeviceIds, removeDevices } from "../../accounts/close-session.ts";
import { toDeviceContext } from "../../encryption/to-device-context.ts";
import { noticesUserId } from "../../rooms/server-notices.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { recordOf } from "./act.ts";

type Needs = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "notifier"
  | "now"
  | "random"
  | "settings"
  | "trail"
>;

/** So long a device that is there just now has to fetch what it is told. */
const GRACE_MS = 1_000;

/**
 * Ends devices of a user, all of them where none is named, with their keys, and has their
 * clients drop what they keep. A device that waits for news is told at once; any other,
 * and that one again, by the refusal of its next request.
 * @throws MatrixError M_NOT_FOUND
 */
export async function wipeDevices(
  edges: Needs,
  by: Administrator,
  userId: string,
  named?: string,
): Promise<{ wipeId: string; deviceId: string }[]> {
  await getAccountRow(edges, userId);
  const all = await listDeviceIds(edges, userId);
  const doomed = all.filter((each) => named === undefined || each === named);
  if (doomed.length === 0)
    throw new MatrixError("M_NOT_FOUND", "There is no such device.");
  const details = { wiped_devices: doomed };
  const record = recordOf(edges, by, { target: userId, details });
  return wipe(edges, userId, doomed, by.actor.userId, { audit: [record] });
}

/** The same for whoever has judged it, with what commits with it. */
export async function wipe(
  edges: Needs,
  userId: string,
  deviceIds: readonly string[],
  orderedBy: string,
  also: Pick<RecordedWrite, "audit" | "rows">,
): Promise<{ wipeId: string; deviceId: string }[]> {
  await tellThoseThere(edges, userId, deviceIds);
  const wipes = deviceIds.map((deviceId) => ({
    ...{ wipeId: edges.random.token(16), userId, deviceId, orderedBy },
  }));
  await removeDevices(edges, userId, deviceIds, {
    ...also,
    rows: { ...also.rows, deviceWipes: wipes },
  });
  return wipes.map(({ wipeId, deviceId }) => ({ wipeId, deviceId }));
}

/** The record goes with what is done, and this is but a word before. */
async function tellThoseThere(
  edges: Needs,
  userId: string,
  deviceIds: readonly string[],
): Promise<void> {
  const tokens = await listTokens(edges.db, userId, deviceIds);
  const there = [...new Set(tokens.map(({ deviceId }) => deviceId))];
  if (there.length === 0) return;
  const sender = noticesUserId(edges.settings);
  const text = JSON.stringify({ type: "org.myelin.wipe", sender, content: {} });
  const toDevice = await Promise.all(
    there.map(async (deviceId) => {
      const context = toDeviceContext(userId, deviceId);
      const sealed = await edges.keyring.sealForUser(userId, context, text);
      return { at: 0, ordinal: 0, userId, deviceId, ...sealed };
    }),
  );
  const { committer } = edges.trail ?? edges;
  await committer.commit({
    positions: 1,
    rows: { toDevice },
    wake: { users: [userId] },
  });
  await sleep(GRACE_MS);
}

export async function listWipes(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ wipes: WipeRow[]; total: number }> {
  await getAccountRow(edges, userId);
  return listWipesOf(edges.db, userId, page);
}
