import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import type { Requester } from "../../accounts/requester.ts";
import { forgetReceived, hasNoMessages, noteClear } from "../device-memory.ts";
import { readToDevice } from "../device-section.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "now">;

/** Where the device's messages were received up to. */
export interface ToDeviceMark {
  epoch: number;
  position: number;
}

export interface ToDeviceRequest {
  after: number;
  limit: number;
}

const FORM = /^d1_(\d{1,6})_(\d{1,16})$/;

/**
 * What the client asks for. Messages up to its token have arrived: they are deleted. A token
 * of an epoch that a restore has ended says nothing of the messages that are here.
 */
export async function acknowledgeToDevice(
  edges: Needs,
  requester: Requester,
  asked: { since: string | null; limit: number },
  { epoch, head }: { epoch: number; head: number },
): Promise<ToDeviceRequest> {
  const { since, limit } = asked;
  const mark = since === null ? null : parse(since);
  if (mark?.epoch !== epoch || mark.position > head) return { after: 0, limit };
  await forgetReceived(edges, requester, mark.position);
  return { after: mark.position, limit };
}

function parse(since: string): ToDeviceMark {
  const [, epoch, position] = FORM.exec(since) ?? [];
  if (epoch !== undefined)
    return { epoch: Number(epoch), position: Number(position) };
  throw new MatrixError(
    "M_INVALID_PARAM",
    '"since" is not a token of this server.',
  );
}

/** The extension `to_device` as JSON text, and whether it holds messages. */
export async function extendToDevice(
  edges: Needs,
  requester: Requester,
  { after, limit }: ToDeviceRequest,
  { epoch, upTo }: { epoch: number; upTo: number },
): Promise<{ text: string; isEmpty: boolean }> {
  if (hasNoMessages(edges, requester))
    return { text: write([], { epoch, position: upTo }), isEmpty: true };
  const { events, position, isClear } = await readToDevice(
    edges,
    requester,
    after,
    upTo,
    limit,
  );
  if (isClear) noteClear(edges, requester, upTo);
  return {
    text: write(events, { epoch, position }),
    isEmpty: events.length === 0,
  };
}

const write = (
  events: readonly string[],
  { epoch, position }: ToDeviceMark,
): string =>
  `{"next_batch":"d1_${epoch}_${position}","events":[${events.join(",")}]}`;
