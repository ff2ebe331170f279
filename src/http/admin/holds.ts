import {
  exportHeld,
  getStandingHold,
  placeHold,
  readHold,
  releaseHold,
  searchHolds,
  type HeldPlace,
  type HoldRow,
} from "../../domain/admin/holds.ts";
import { exportHeldData } from "../../domain/admin/held-data.ts";
import { endpoint } from "../endpoint.ts";
import {
  ANYTHING,
  arrayOf,
  BOOLEAN,
  EVENT,
  EVENT_ID,
  named,
  object,
  open,
  orNull,
  ROOM_ID,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import {
  listAnswer,
  listQuery,
  onwardAnswer,
  onwardProperties,
  pageAnswer,
  pageOf,
  type OnwardQuery,
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

const FACTS = named(
  "Hold",
  object({
    hold_id: TEXT,
    name: TEXT,
    case_id: TEXT,
    reason: TEXT,
    users: orNull(arrayOf(USER_ID)),
    rooms: orNull(arrayOf(ROOM_ID)),
    from_ts: orNull(TIME),
    until_ts: orNull(TIME),
    created_by: TEXT,
    created_ts: TIME,
    released_by: orNull(TEXT),
    released_ts: orNull(TIME),
    release_reason: orNull(TEXT),
  }),
);
const HELD_EVENT = named(
  "HeldEvent",
  object({
    room_id: ROOM_ID,
    event_id: EVENT_ID,
    received_ts: TIME,
    redacted: BOOLEAN,
    event: EVENT,
  }),
);

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
  doc: {
    id: "placeHold",
    says: "Keeps what users wrote, what rooms have, or what is of a time from destruction.",
    answers: FACTS,
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
  query: listQuery(["created_ts"], { released: { type: "boolean" } }),
  doc: {
    id: "listHolds",
    says: "Lists legal holds.",
    answers: listAnswer("holds", FACTS),
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
  doc: { id: "getHold", says: "Reads a legal hold.", answers: FACTS },
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
  doc: {
    id: "releaseHold",
    says: "Ends a legal hold for good.",
    answers: FACTS,
  },
  validate: (edges, { params }) => getStandingHold(edges, params.holdId),
  async handle(edges, { params, body, ...by }) {
    const { holdId } = params;
    return answerOf(await releaseHold(edges, by, holdId, body.reason));
  },
});

/** A room, a part of it, and a place there. */
const PLACE = "^\\d{1,16}\\.[0-3]\\.\\d{1,16}\\.\\d{1,16}$";

const placeToken = ({ roomNid, part, ts, nid }: HeldPlace): string =>
  [roomNid, part, ts, nid].join(".");

function placeOf(token: string): HeldPlace {
  const [roomNid = 0, part = 0, ts = 0, nid = 0] = token.split(".").map(Number);
  return { roomNid, part, ts, nid };
}

interface HeldEventsQuery extends GroundsQuery {
  from?: string;
  limit?: number;
}

const getHeldEvents = endpoint<OneHold & { query: HeldEventsQuery }>({
  method: "get",
  path: `${HOLD}/events`,
  auth: "admin",
  permission: "holds.export",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...groundsProperties,
      ...onwardProperties,
      from: { type: "string", pattern: PLACE },
    },
  },
  doc: {
    id: "exportHeld",
    says: "Exports the events that a hold keeps, room by room and onward from a place, with what was redacted of them. A page may have none and yet a next_token.",
    answers: onwardAnswer("events", HELD_EVENT),
  },
  async handle(edges, { params, query, request, ...by }) {
    const grounds = groundsOf(request, query);
    const { events, next } = await exportHeld(
      edges,
      { ...by, grounds },
      params.holdId,
      {
        after: query.from === undefined ? undefined : placeOf(query.from),
        limit: query.limit ?? 100,
      },
    );
    return {
      events: events.map((held) => ({
        room_id: held.roomId,
        event_id: held.eventId,
        received_ts: held.receivedTs,
        redacted: held.isRedacted,
        event: held.event,
      })),
      ...(next !== undefined && { next_token: placeToken(next) }),
    };
  },
});

const HELD_ROW = named(
  "HeldRow",
  object(
    {
      user_id: USER_ID,
      table: TEXT,
      kept_ts: TIME,
      row: open("What names the row in its table."),
    },
    { content: ANYTHING },
  ),
);

const getHeldData = endpoint<OneHold & { query: GroundsQuery & OnwardQuery }>({
  method: "get",
  path: `${HOLD}/data`,
  auth: "admin",
  permission: "holds.export",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { ...groundsProperties, ...onwardProperties },
  },
  doc: {
    id: "exportHeldData",
    says: "Exports what a hold kept of accounts, onward from a place.",
    answers: onwardAnswer("data", HELD_ROW),
  },
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
