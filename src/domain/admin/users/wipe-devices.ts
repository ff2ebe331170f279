import { MatrixError } from "../../../core/errors.ts";
import type { Edges } from "../../../edges.ts";
import {
  listWipes as listWipesOf,
  type WipeRow,
} from "../../../storage/device-wipes.ts";
import type { RecordedWrite } from "../../../storage/write.ts";
import {
  listDeviceIds,
  removeAllDevices,
  removeDevices,
} from "../../accounts/close-session.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { recordOf } from "./act.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "notifier" | "now" | "random" | "settings"
>;

export interface Wiped {
  wipeId: string;
  deviceId: string;
}

/**
 * Ends devices of a user, all of them where none is named, with their keys, and has their
 * clients drop what they keep: by the refusal of whatever they ask next. A device that
 * waits for news is answered at once, and asks again.
 * @throws MatrixError M_NOT_FOUND
 */
export async function wipeDevices(
  edges: Needs,
  by: Administrator,
  userId: string,
  named?: string,
): Promise<Wiped[]> {
  await getAccountRow(edges, userId);
  const make = (doomed: readonly string[]) => {
    if (doomed.length === 0)
      throw new MatrixError("M_NOT_FOUND", "There is no such device.");
    const details = { wiped_devices: [...doomed] };
    const record = recordOf(edges, by, { target: userId, details });
    return wipesOf(edges, userId, doomed, by.actor.userId, { audit: [record] });
  };
  if (named === undefined)
    return (await removeAllDevices(edges, userId, make)).wipes;
  const all = await listDeviceIds(edges, userId);
  const doomed = all.filter((each) => each === named);
  const { wipes, also } = make(doomed);
  await removeDevices(edges, userId, doomed, also);
  return wipes;
}

/** What goes with the removal of devices that are wiped, for whoever has judged it. */
export function wipesOf(
  { random }: Pick<Edges, "random">,
  userId: string,
  deviceIds: readonly string[],
  orderedBy: string,
  also: Pick<RecordedWrite, "audit" | "rows">,
): { wipes: Wiped[]; also: Pick<RecordedWrite, "audit" | "rows"> } {
  const wipes = deviceIds.map((deviceId) => ({
    wipeId: random.token(16),
    deviceId,
  }));
  const deviceWipes = wipes.map((each) => ({ ...each, userId, orderedBy }));
  return { wipes, also: { ...also, rows: { ...also.rows, deviceWipes } } };
}

export async function listWipes(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ wipes: WipeRow[]; total: number }> {
  await getAccountRow(edges, userId);
  return listWipesOf(edges.db, userId, page);
}
