import {
  exportHeld,
  getStandingHold,
  placeHold,
  readHold,
  releaseHold,
  searchHolds,
  type HoldRow,
} from "../../domain/admin/holds.ts";
import { exportHeldData } from "../../domain/admin/held-data.ts";
import { endpoint } from "../endpoint.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
  type PageQuery,
} from "./paging.ts";
import {
  groundsOf,
  groundsProperties,
  native,
  type GroundsQuery,
} from "./tools.ts";

const HOLDS = native("/holds");
const HOLD = `${HOLDS}/:holdId`;
type OneHold = { params: { holdId: string } };

const answerOf = (hold: HoldRow) => ({
  hold_id: hold.holdId,
  name: hold.name,
  case_id: hold.caseId,
  reason: hold.reason,
  users: hold.userIds,
  rooms: hold.roomIds,
  from_ts: hold.fromTs,
  until_ts: hold.untilTs,
  created_by: hold.createdBy,
  created_ts: hold.createdTs,
  released_by: hold.releasedBy,
  released_ts: hold.releasedTs,
  release_reason: hold.releaseReason,
});

const text = (maxLength: number) => ({
  type: "string",
  minLength: 1,
  maxLength,
});
const ids = {
  type: ["array", "null"],
  minItems: 1,
  maxItems: 1_000,
  items: { type: "string", maxLength: 255 },
};
const time = {
  type: ["integer", "null"],
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
};

const postHold = endpoint<{
  body: {
    name: string;
    case_id: string;
    reason: string;
    users?: string[] | null;
    rooms?: string[] | null;
    from_ts?: number | null;
    until_ts?: number | null;
  };
}>({
  method: "post",
  path: HOLDS,
  auth: "admin",
  permission: "holds.write",
  rateLimit: "admin",
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      ...{ name: text(256), case_id: text(256), reason: text(1024) },
      ...{ users: ids, rooms: ids, from_ts: time, until_ts: time },
    },
    required: ["name", "case_id", "reason"],
  },
  async handle(edges, { body, ...by }) {
    const hold = await placeHold(edges, by, {
      name: body.name,
      caseId: body.case_id,
      reason: body.reason,
      userIds: body.users ?? null,
      roomIds: body.rooms ?? null,
      fromTs: body.from_ts ?? null,
      untilTs: body.until_ts ?? null,
    });
    return answerOf(hold);
  },
});

const getHolds = endpoint<{ query: PageQuery & { released?: boolean } }>({
  method: "get",
  path: HOLDS,
  auth: "admin",
  permission: "holds.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { ...pageProperties, released: { type: "boolean" } },
  },
  async handle(edges, { query }) {
    const { holds, total } = await searchHolds(edges, {
      ...pageOf(query),
      isReleased: query.released ?? null,
    });
    return {
      holds: holds.map(answerOf),
      ...pageAnswer(query, holds.length, total),
    };
  },
});

const getHold = endpoint<OneHold>({
  method: "get",
  path: HOLD,
  auth: "admin",
  permission: "holds.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    return answerOf(await readHold(edges, params.holdId));
  },
});

const postRelease = endpoint<OneHold & { body: { reason: string } }>({
  method: "post",
  path: `${HOLD}/release`,
  auth: "admin",
  permission: "holds.release",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { reason: text(1024) },
    required: ["reason"],
  },
  validate: (edges, { params }) => getStandingHold(edges, params.holdId),
  async handle(edges, { params, body, ...by }) {
    const { holdId } = params;
    return answerOf(await releaseHold(edges, by, holdId, body.reason));
  },
});

const heldPageQuery = {
  type: "object",
  properties: {
    ...groundsProperties,
    from: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    limit: { type: "integer", minimum: 1, maximum: 500 },
  },
};

const getHeldEvents = endpoint<
  OneHold & { query: GroundsQuery & { from?: number; limit?: number } }
>({
  method: "get",
  path: `${HOLD}/events`,
  auth: "admin",
  permission: "holds.export",
  rateLimit: "admin",
  query: heldPageQuery,
  async handle(edges, { params, query, request, ...by }) {
    const grounds = groundsOf(request, query);
    const { events, next } = await exportHeld(
      edges,
      { ...by, grounds },
      params.holdId,
      { after: query.from ?? 0, limit: query.limit ?? 100 },
    );
    return {
      events: events.map((held) => ({
        room_id: held.roomId,
        event_id: held.eventId,
        received_ts: held.receivedTs,
        redacted: held.isRedacted,
        event: held.event,
      })),
      ...(next !== undefined && { next_token: String(next) }),
    };
  },
});

const getHeldData = endpoint<
  OneHold & { query: GroundsQuery & { from?: number; limit?: number } }
>({
  method: "get",
  path: `${HOLD}/data`,
  auth: "admin",
  permission: "holds.export",
  rateLimit: "admin",
  query: heldPageQuery,
  async handle(edges, { params, query, request, ...by }) {
    const grounds = groundsOf(request, query);
    const { data, next } = await exportHeldData(
      edges,
      { ...by, grounds },
      params.holdId,
      { after: query.from ?? 0, limit: query.limit ?? 100 },
    );
    return {
      data: data.map((held) => ({
        user_id: held.userId,
        table: held.source,
        kept_ts: held.keptTs,
        row: held.place,
        ...(held.content !== undefined && { content: held.content }),
      })),
      ...(next !== undefined && { next_token: String(next) }),
    };
  },
});

export const holdEndpoints = [
  ...[postHold, getHolds, getHold, postRelease, getHeldEvents, getHeldData],
];
