import { MatrixError } from "../../../core/errors.ts";
import type { UserId } from "../../../core/ids.ts";
import {
  enableJobs,
  listScheduledTasks,
  readJobs,
  startJob,
} from "../../../domain/admin/jobs.ts";
import {
  readLargestRooms,
  readMediaStatistics,
  searchRoomSizes,
  type MediaOfUser,
  type RoomSizeRow,
} from "../../../domain/admin/statistics.ts";
import { getAccountRow } from "../../../domain/admin/users/account.ts";
import { endpoint } from "../../endpoint.ts";
import {
  BOOLEAN,
  COUNT,
  EMPTY,
  named,
  object,
  orNull,
  ROOM_ID,
  TEXT,
  USER_ID,
} from "../../json-schema.ts";
import { VERSION } from "../../version.ts";
import {
  DONE,
  NATIVE,
  nextOf,
  pageOf,
  pageProperties,
  textOf,
  userId,
  V1,
  type PageQuery,
} from "./common.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf as listPageOf,
  type PageQuery as ListQuery,
} from "../paging.ts";

export const getServerVersion = endpoint({
  method: "get",
  path: `${V1}/server_version`,
  also: [`${NATIVE}/server-version`],
  auth: "admin",
  permission: "server.read",
  rateLimit: "admin",
  doc: {
    id: "getServerVersion",
    says: "Reads the version of this server.",
    answers: object({ server_version: TEXT }),
  },
  async handle() {
    return { server_version: `Myelin ${VERSION}` };
  },
});

export const getJobsStatus = endpoint({
  method: "get",
  path: `${V1}/background_updates/status`,
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  async handle(edges) {
    const { isEnabled, running } = await readJobs(edges);
    return {
      enabled: isEnabled,
      current_updates: Object.fromEntries(
        running.map((name) => [
          name,
          {
            name,
            total_item_count: 0,
            total_duration_ms: 0,
            average_items_per_ms: 0,
          },
        ]),
      ),
    };
  },
});

export const getJobsEnabled = endpoint({
  method: "get",
  path: `${V1}/background_updates/enabled`,
  also: [`${NATIVE}/background-jobs/enabled`],
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  doc: {
    id: "getBackgroundJobsEnabled",
    says: "Tells whether the server’s own jobs run.",
    answers: object({ enabled: BOOLEAN }),
  },
  async handle(edges) {
    return { enabled: (await readJobs(edges)).isEnabled };
  },
});

export const postJobsEnabled = endpoint<{ body: { enabled: boolean } }>({
  method: "post",
  path: `${V1}/background_updates/enabled`,
  also: [`${NATIVE}/background-jobs/enabled`],
  auth: "admin",
  permission: "jobs.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { enabled: { type: "boolean" } },
    required: ["enabled"],
  },
  doc: {
    id: "setBackgroundJobsEnabled",
    says: "Lets the server’s own jobs rest, or run again.",
    answers: object({ enabled: BOOLEAN }),
  },
  async handle(edges, { body, ...by }) {
    await enableJobs(edges, by, body.enabled);
    return { enabled: body.enabled };
  },
});

export const postStartJob = endpoint<{ body: { job_name: string } }>({
  method: "post",
  path: `${V1}/background_updates/start_job`,
  also: [`${NATIVE}/background-jobs/start`],
  auth: "admin",
  permission: "jobs.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      job_name: { type: "string", pattern: "^[^\\u0000]{0,255}$" },
    },
    required: ["job_name"],
  },
  doc: {
    id: "startBackgroundJob",
    says: "Has one of the server’s own jobs run at once.",
    answers: EMPTY,
  },
  async handle(edges, { body, ...by }) {
    await startJob(edges, by, body.job_name);
    return DONE;
  },
});

interface TaskSearch {
  action_name?: string;
  resource_id?: string;
  job_status?: string;
  max_timestamp?: number;
}

export const getScheduledTasks = endpoint<{ query: TaskSearch }>({
  method: "get",
  path: `${V1}/scheduled_tasks`,
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      action_name: { type: "string" },
      resource_id: { type: "string" },
      job_status: { type: "string" },
      max_timestamp: { type: "integer", minimum: 0 },
    },
  },
  async handle(edges, { query }) {
    const action = textOf(query.action_name);
    const resource = textOf(query.resource_id);
    const status = textOf(query.job_status);
    const { max_timestamp: before } = query;
    const tasks = (await listScheduledTasks(edges)).filter(
      (task) =>
        (action === null || task.action === action) &&
        (resource === null || task.resourceId === resource) &&
        (status === null || task.status === status) &&
        (before === undefined || task.timestamp < before),
    );
    return {
      scheduled_tasks: tasks.map(({ resourceId, ...task }) => ({
        ...task,
        resource_id: resourceId,
        result: null,
      })),
    };
  },
});

const ORDERS = [
  "user_id",
  "displayname",
  "media_count",
  "media_length",
] as const;

interface MediaSearch extends PageQuery {
  from_ts?: number;
  until_ts?: number;
  search_term?: string;
  order_by?: (typeof ORDERS)[number] | "";
}

const TIME = { type: "integer", minimum: 0 };

export const getMediaStatistics = endpoint<{ query: MediaSearch }>({
  method: "get",
  path: `${V1}/statistics/users/media`,
  auth: "admin",
  permission: "stats.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...pageProperties,
      from_ts: TIME,
      until_ts: TIME,
      search_term: { type: "string" },
      order_by: { type: "string", enum: ["", ...ORDERS] },
    },
  },
  async handle(edges, { query }) {
    const { from_ts: fromTs = 0, until_ts: untilTs = null } = query;
    assertSpan(fromTs, untilTs);
    const { users, total } = await readMediaStatistics(edges, {
      ...pageOf(query),
      ...{ fromTs, untilTs },
      term: textOf(query.search_term)?.toLowerCase() ?? null,
      orderBy: query.order_by || "media_length",
    });
    const next = nextOf(query, users.length, total);
    return {
      users: users.map(usageAnswer),
      total,
      ...(next !== undefined && { next_token: next }),
    };
  },
});

const usageAnswer = (row: MediaOfUser) => ({
  user_id: row.userId,
  displayname: row.displayName,
  media_count: row.mediaCount,
  media_length: row.mediaLength,
});
const USAGE = named(
  "MediaUsage",
  object({
    user_id: USER_ID,
    displayname: orNull(TEXT),
    media_count: COUNT,
    media_length: COUNT,
  }),
);

function assertSpan(fromTs: number, untilTs: number | null): void {
  if (untilTs === null || untilTs > fromTs) return;
  throw new MatrixError(
    "M_INVALID_PARAM",
    '"until_ts" has to be after "from_ts".',
  );
}

const LIST_ORDERS = [
  "media_length",
  ...ORDERS.filter((each) => each !== "media_length"),
];

/** The same as a list like all others. */
export const listMediaStatistics = endpoint<{
  query: ListQuery<(typeof ORDERS)[number]> & {
    from_ts?: number;
    until_ts?: number;
    search_term?: string;
  };
}>({
  method: "get",
  path: `${NATIVE}/statistics/users/media`,
  auth: "admin",
  permission: "stats.read",
  rateLimit: "admin",
  query: listQuery(LIST_ORDERS, {
    from_ts: TIME,
    until_ts: TIME,
    search_term: { type: "string", minLength: 1, maxLength: 255 },
  }),
  doc: {
    id: "listMediaStatistics",
    says: "Lists who has uploaded how much.",
    answers: listAnswer("users", USAGE),
  },
  async handle(edges, { query }) {
    const { from_ts: fromTs = 0, until_ts: untilTs = null } = query;
    assertSpan(fromTs, untilTs);
    const { users, total } = await readMediaStatistics(edges, {
      ...listPageOf(query),
      ...{ fromTs, untilTs },
      term: query.search_term?.toLowerCase() ?? null,
      orderBy: query.order_by ?? "media_length",
    });
    return {
      users: users.map(usageAnswer),
      ...pageAnswer(query, users.length, total),
    };
  },
});

const roomSizeAnswer = ({ roomId, estimatedSize }: RoomSizeRow) => ({
  room_id: roomId,
  estimated_size: estimatedSize,
});

export const getLargestRooms = endpoint({
  method: "get",
  path: `${V1}/statistics/database/rooms`,
  auth: "admin",
  permission: "stats.read",
  rateLimit: "admin",
  async handle(edges) {
    return { rooms: (await readLargestRooms(edges)).map(roomSizeAnswer) };
  },
});

const SIZE_ORDERS = ["estimated_size", "room_id"] as const;

/** The same as a list like all others. */
export const listRoomSizes = endpoint<{
  query: ListQuery<(typeof SIZE_ORDERS)[number]>;
}>({
  method: "get",
  path: `${NATIVE}/statistics/database/rooms`,
  auth: "admin",
  permission: "stats.read",
  rateLimit: "admin",
  query: listQuery(SIZE_ORDERS),
  doc: {
    id: "listRoomSizes",
    says: "Lists how large rooms are, as reckoned from a sample.",
    answers: listAnswer(
      "rooms",
      named("RoomSize", object({ room_id: ROOM_ID, estimated_size: COUNT })),
    ),
  },
  async handle(edges, { query }) {
    const { rooms, total } = await searchRoomSizes(edges, {
      ...listPageOf(query),
      orderBy: query.order_by ?? "estimated_size",
    });
    return {
      rooms: rooms.map(roomSizeAnswer),
      ...pageAnswer(query, rooms.length, total),
    };
  },
});

/** What consoles offer as switches for each user is served to everybody. */
const FEATURES = ["msc3881", "msc3575", "msc4222"];
const FEATURES_OF = `${V1}/experimental_features/:userId`;
type OneUser = { params: { userId: UserId } };

export const getFeatures = endpoint<OneUser>({
  method: "get",
  path: FEATURES_OF,
  params: { userId },
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    await getAccountRow(edges, params.userId);
    const features = FEATURES.map((feature) => [feature, true] as const);
    return { features: Object.fromEntries(features) };
  },
});

export const putFeatures = endpoint<
  OneUser & { body: { features: Record<string, boolean> } }
>({
  method: "put",
  path: FEATURES_OF,
  params: { userId },
  auth: "admin",
  permission: "users.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      features: {
        type: "object",
        additionalProperties: { type: "boolean" },
        maxProperties: 100,
      },
    },
    required: ["features"],
  },
  async handle(edges, { params, body }) {
    await getAccountRow(edges, params.userId);
    for (const [feature, isEnabled] of Object.entries(body.features)) {
      if (!FEATURES.includes(feature)) {
        throw new MatrixError(
          "M_UNKNOWN",
          "There is no such experimental feature.",
        );
      }
      if (!isEnabled) {
        throw new MatrixError(
          "M_UNKNOWN",
          "This is served to everybody, and cannot be switched off for one user.",
        );
      }
    }
    return DONE;
  },
});
