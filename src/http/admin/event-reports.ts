import type { SchemaObject } from "ajv";
import {
  deleteReport,
  readReport,
  searchReports,
  type FoundReport,
  type ReportKind,
} from "../../domain/admin/settle-reports.ts";
import { endpoint } from "../endpoint.ts";
import {
  EMPTY,
  EVENT,
  EVENT_ID,
  INTEGER,
  named,
  object,
  orNull,
  ROOM_ID,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { numberParam } from "./names.ts";
import {
  atBoth,
  directionOf,
  groundsOf,
  groundsProperties,
  listPageOf,
  listProperties,
  native,
  nextOf,
  synapse,
  type GroundsQuery,
  type ListQuery,
} from "./tools.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";

interface ReportsQuery extends ListQuery, GroundsQuery {
  user_id?: string;
  target_user_id?: string;
  room_id?: string;
  event_sender_user_id?: string;
}

const ID = { type: "string", maxLength: 255 };
const query = {
  type: "object",
  properties: {
    ...listProperties,
    ...groundsProperties,
    user_id: ID,
    target_user_id: ID,
    room_id: ID,
    event_sender_user_id: ID,
  },
};

/** What is empty is no filter. */
const searchOf = (asked: ReportsQuery) => ({
  ...listPageOf(asked),
  // The newest first, unless told.
  isDescending: directionOf(asked) !== "f",
  reporter: asked.user_id || null,
  roomId: asked.room_id || null,
  sender: asked.event_sender_user_id || null,
  userId: asked.target_user_id || null,
});

const eventReportAnswer = (row: FoundReport) => ({
  id: row.reportId,
  received_ts: row.createdTs,
  room_id: row.roomId,
  event_id: row.eventId,
  user_id: row.reporter,
  reason: row.reason,
  score: row.score,
  sender: row.sender,
  canonical_alias: row.roomAlias,
  name: row.roomName,
});

const eventReport = {
  id: INTEGER,
  received_ts: TIME,
  room_id: orNull(ROOM_ID),
  event_id: orNull(EVENT_ID),
  user_id: USER_ID,
  reason: orNull(TEXT),
  score: orNull(INTEGER),
  sender: orNull(USER_ID),
  canonical_alias: orNull(TEXT),
  name: orNull(TEXT),
};
const EVENT_REPORT = named("EventReport", object(eventReport));

interface ListedQuery extends PageQuery, GroundsQuery {
  user_id?: string;
  target_user_id?: string;
  room_id?: string;
  event_sender_user_id?: string;
}

const listSearchOf = (asked: ListedQuery) => ({
  ...pageOf(asked),
  reporter: asked.user_id ?? null,
  roomId: asked.room_id ?? null,
  sender: asked.event_sender_user_id ?? null,
  userId: asked.target_user_id ?? null,
});

/** Reports of a kind, as a list like all others. */
const listOfReports = (
  kind: ReportKind,
  filters: readonly string[],
  schema: SchemaObject,
  answerOf: (row: FoundReport) => object,
) =>
  endpoint<{ query: ListedQuery }>({
    method: "get",
    path: native(`/${kind}_reports`),
    auth: "admin",
    permission: "reports.read",
    rateLimit: "admin",
    query: listQuery(["received_ts"], {
      ...groundsProperties,
      ...Object.fromEntries(filters.map((name) => [name, ID])),
    }),
    doc: {
      id: `list${kind.charAt(0).toUpperCase()}${kind.slice(1)}Reports`,
      says: `Lists what people reported of ${kind}s.`,
      answers: listAnswer(`${kind}_reports`, schema),
    },
    async handle(edges, { query, request, ...by }) {
      const who = { ...by, grounds: groundsOf(request, query) };
      const search = { kind, ...listSearchOf(query) };
      const { reports, total } = await searchReports(edges, who, search);
      return {
        [`${kind}_reports`]: reports.map(answerOf),
        ...pageAnswer(query, reports.length, total),
      };
    },
  });

export const listEventReports = listOfReports(
  "event",
  ["user_id", "room_id", "event_sender_user_id"],
  EVENT_REPORT,
  eventReportAnswer,
);

type OneReport = { params: { reportId: number } };
const reportParams = { reportId: numberParam };

/** https://element-hq.github.io/synapse/latest/admin_api/event_reports.html */
export const getEventReports = endpoint<{ query: ReportsQuery }>({
  method: "get",
  path: synapse("/event_reports"),
  auth: "admin",
  permission: "reports.read",
  rateLimit: "admin",
  query,
  async handle(edges, { query, request, ...by }) {
    const who = { ...by, grounds: groundsOf(request, query) };
    const search = { kind: "event", ...searchOf(query) } as const;
    const { reports, total } = await searchReports(edges, who, search);
    const next = nextOf(query, reports.length, total);
    return {
      event_reports: reports.map(eventReportAnswer),
      total,
      ...(next !== undefined && { next_token: next }),
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/event_reports.html#show-details-of-a-specific-event-report */
export const getEventReport = endpoint<OneReport & { query: GroundsQuery }>({
  method: "get",
  ...atBoth("/event_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.read",
  rateLimit: "admin",
  query: { type: "object", properties: groundsProperties },
  doc: {
    id: "getEventReport",
    says: "Reads a report, with the event that it is about.",
    answers: object({ ...eventReport, event_json: orNull(EVENT) }),
  },
  async handle(edges, { params, query, request, ...by }) {
    const who = { ...by, grounds: groundsOf(request, query) };
    const found = await readReport(edges, who, "event", params.reportId);
    return { ...eventReportAnswer(found.report), event_json: found.event };
  },
});

export const deleteEventReport = endpoint<OneReport>({
  method: "delete",
  ...atBoth("/event_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.write",
  rateLimit: "admin",
  doc: {
    id: "deleteEventReport",
    says: "Takes a report of an event off the list.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await deleteReport(edges, by, "event", params.reportId);
    return {};
  },
});

const userReportAnswer = (row: FoundReport) => ({
  id: row.reportId,
  received_ts: row.createdTs,
  target_user_id: row.userId,
  user_id: row.reporter,
  reason: row.reason,
});

const USER_REPORT = named(
  "UserReport",
  object({
    id: INTEGER,
    received_ts: TIME,
    target_user_id: orNull(USER_ID),
    user_id: USER_ID,
    reason: orNull(TEXT),
  }),
);

export const listUserReports = listOfReports(
  "user",
  ["user_id", "target_user_id"],
  USER_REPORT,
  userReportAnswer,
);

/** https://element-hq.github.io/synapse/latest/admin_api/user_reports.html */
export const getUserReports = endpoint<{ query: ReportsQuery }>({
  method: "get",
  path: synapse("/user_reports"),
  auth: "admin",
  permission: "reports.read",
  rateLimit: "admin",
  query,
  async handle(edges, { query, request, ...by }) {
    const who = { ...by, grounds: groundsOf(request, query) };
    const search = { kind: "user", ...searchOf(query) } as const;
    const { reports, total } = await searchReports(edges, who, search);
    const next = nextOf(query, reports.length, total);
    return {
      user_reports: reports.map(userReportAnswer),
      total,
      ...(next !== undefined && { next_token: next }),
    };
  },
});

export const getUserReport = endpoint<OneReport & { query: GroundsQuery }>({
  method: "get",
  ...atBoth("/user_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.read",
  rateLimit: "admin",
  query: { type: "object", properties: groundsProperties },
  doc: {
    id: "getUserReport",
    says: "Reads a report of a user.",
    answers: USER_REPORT,
  },
  async handle(edges, { params, query, request, ...by }) {
    const who = { ...by, grounds: groundsOf(request, query) };
    const { report } = await readReport(edges, who, "user", params.reportId);
    return userReportAnswer(report);
  },
});

export const deleteUserReport = endpoint<OneReport>({
  method: "delete",
  ...atBoth("/user_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.write",
  rateLimit: "admin",
  doc: {
    id: "deleteUserReport",
    says: "Takes a report of a user off the list.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await deleteReport(edges, by, "user", params.reportId);
    return {};
  },
});

const roomReportAnswer = (row: FoundReport) => ({
  id: row.reportId,
  received_ts: row.createdTs,
  room_id: row.roomId,
  user_id: row.reporter,
  reason: row.reason,
  canonical_alias: row.roomAlias,
  name: row.roomName,
});

const ROOM_REPORT = named(
  "RoomReport",
  object({
    id: INTEGER,
    received_ts: TIME,
    room_id: orNull(ROOM_ID),
    user_id: USER_ID,
    reason: orNull(TEXT),
    canonical_alias: orNull(TEXT),
    name: orNull(TEXT),
  }),
);

export const listRoomReports = listOfReports(
  "room",
  ["user_id", "room_id"],
  ROOM_REPORT,
  roomReportAnswer,
);

export const deleteRoomReport = endpoint<OneReport>({
  method: "delete",
  path: native("/room_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.write",
  rateLimit: "admin",
  doc: {
    id: "deleteRoomReport",
    says: "Takes a report of a room off the list.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await deleteReport(edges, by, "room", params.reportId);
    return {};
  },
});
