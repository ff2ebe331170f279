import { MatrixError } from "../../core/errors.ts";
import {
  type DelayAction,
  delayActions,
  type DelayedEventState,
  getDelayedEvent,
  listOwnDelayedEvents,
  manageDelayedEvent,
} from "../../domain/rooms/manage-delayed-event.ts";
import { endpoint } from "../endpoint.ts";

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4140 */
const PATH = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";

/** The query parameter by which an event is sent later. */
export const DELAY = "org.matrix.msc4140.delay";

export const delayQuery = {
  type: "object",
  properties: { [DELAY]: { type: "integer", minimum: 1 } },
};

export const getDelayedEvents = endpoint<{
  query: { status?: "scheduled" | "finalised" };
}>({
  method: "get",
  path: PATH,
  auth: "user",
  guest: true,
  query: {
    type: "object",
    properties: {
      status: { type: "string", enum: ["scheduled", "finalised"] },
    },
  },
  async handle(edges, { requester, query }) {
    const isFinalised = query.status === "finalised";
    const { userId } = requester;
    const found = await listOwnDelayedEvents(edges, userId, isFinalised);
    return { delayed_events: found.map(present) };
  },
});

export const getOneDelayedEvent = endpoint<{ params: { delayId: string } }>({
  method: "get",
  path: `${PATH}/:delayId`,
  auth: "user",
  guest: true,
  async handle(edges, { requester, params }) {
    const { userId } = requester;
    return present(await getDelayedEvent(edges, userId, params.delayId));
  },
});

function present({ event, row }: DelayedEventState): object {
  return {
    delay_id: event.delayId,
    room_id: event.roomId,
    type: event.type,
    ...(event.stateKey !== null && { state_key: event.stateKey }),
    delay: row.delayMs,
    running_since: row.runningSince,
    content: event.content,
    ...(event.error !== null && { error: event.error }),
    ...(row.eventId !== null && { event_id: row.eventId }),
    ...(row.finalisedTs !== null && { origin_server_ts: row.finalisedTs }),
  };
}

/** That something else has become of the event already. */
const CONFLICT = { M_UNKNOWN: 409 };

/** The id is all that it takes: who watches over a call has no account. */
export const postDelayedEventAction = endpoint<{
  params: { delayId: string; action: DelayAction };
}>({
  method: "post",
  path: `${PATH}/:delayId/:action`,
  auth: "none",
  rateLimit: "other",
  statuses: CONFLICT,
  params: { action: actionOf },
  async handle(edges, { params }) {
    await manageDelayedEvent(edges, params.delayId, params.action);
    return {};
  },
});

/** The form of before, which names the action in the body. */
export const postDelayedEvent = endpoint<{
  params: { delayId: string };
  body: { action: string };
}>({
  method: "post",
  path: `${PATH}/:delayId`,
  auth: "none",
  rateLimit: "other",
  statuses: CONFLICT,
  body: {
    type: "object",
    properties: { action: { type: "string" } },
    required: ["action"],
  },
  async handle(edges, { params, body }) {
    const action = actionOf(body.action);
    await manageDelayedEvent(edges, params.delayId, action);
    return {};
  },
});

function actionOf(text: string): DelayAction {
  const action = delayActions.find((known) => known === text);
  if (action) return action;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `A delayed event can be told to ${delayActions.join(", ")}.`,
  );
}
