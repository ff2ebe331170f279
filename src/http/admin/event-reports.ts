import {
  deleteReport,
  readReport,
  searchReports,
  type FoundReport,
} from "../../domain/admin/settle-reports.ts";
import { endpoint } from "../endpoint.ts";
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
  type GroundsQuery,
  type ListQuery,
} from "./tools.ts";

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

type OneReport = { params: { reportId: number } };
const reportParams = { reportId: numberParam };

/** https://element-hq.github.io/synapse/latest/admin_api/event_reports.html */
export const getEventReports = endpoint<{ query: ReportsQuery }>({
  method: "get",
  ...atBoth("/event_reports"),
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

/** https://element-hq.github.io/synapse/latest/admin_api/user_reports.html */
export const getUserReports = endpoint<{ query: ReportsQuery }>({
  method: "get",
  ...atBoth("/user_reports"),
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

export const getRoomReports = endpoint<{ query: ReportsQuery }>({
  method: "get",
  path: native("/room_reports"),
  auth: "admin",
  permission: "reports.read",
  rateLimit: "admin",
  query,
  async handle(edges, { query, request, ...by }) {
    const who = { ...by, grounds: groundsOf(request, query) };
    const search = { kind: "room", ...searchOf(query) } as const;
    const { reports, total } = await searchReports(edges, who, search);
    const next = nextOf(query, reports.length, total);
    return {
      room_reports: reports.map(roomReportAnswer),
      total,
      ...(next !== undefined && { next_token: next }),
    };
  },
});

export const deleteRoomReport = endpoint<OneReport>({
  method: "delete",
  path: native("/room_reports/:reportId"),
  params: reportParams,
  auth: "admin",
  permission: "reports.write",
  rateLimit: "admin",
  async handle(edges, { params, ...by }) {
    await deleteReport(edges, by, "room", params.reportId);
    return {};
  },
});
