import { MatrixError } from "../../core/errors.ts";
import {
  assertOwnServer,
  deleteMediaOf,
  deleteMedium,
  deleteOldMedia,
  readMedium,
  searchMediaOf,
  validateDeletion,
  type FoundMedium,
  type MediaQuery,
} from "../../domain/admin/media.ts";
import { purgePreviews } from "../../domain/admin/purge-previews.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  named,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { mediaParams } from "../media-params.ts";
import { userParam } from "./names.ts";
import {
  atBoth,
  choiceOf,
  choiceProperty,
  directionOf,
  flagOf,
  listPageOf,
  listProperties,
  native,
  nextOf,
  synapse,
  type ListQuery,
} from "./tools.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";

type OneMedium = { params: { serverName: string; mediaId: string } };

const mediumAnswer = (row: FoundMedium) => ({
  media_id: row.mediaId,
  user_id: row.userId,
  media_type: row.contentType,
  media_length: row.size,
  upload_name: row.name,
  created_ts: row.createdTs,
  last_access_ts: row.lastAccessTs,
  quarantined_by: row.quarantinedBy,
  safe_from_quarantine: row.isProtected,
});

const mediumFacts = {
  media_id: TEXT,
  user_id: USER_ID,
  media_type: orNull(TEXT),
  media_length: orNull(COUNT),
  upload_name: orNull(TEXT),
  created_ts: TIME,
  last_access_ts: orNull(TIME),
  quarantined_by: orNull(TEXT),
  safe_from_quarantine: BOOLEAN,
};
const MEDIUM = named("Medium", object(mediumFacts));
const NEVER = { type: "null" };
const MEDIUM_INFO = named(
  "MediumInfo",
  object({
    media_info: object({
      ...mediumFacts,
      media_origin: NEVER,
      filesystem_id: NEVER,
      url_cache: NEVER,
      authenticated: BOOLEAN,
      sha256: NEVER,
    }),
  }),
);

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#query-a-piece-of-media-by-id */
export const getAdminMedium = endpoint<OneMedium>({
  method: "get",
  ...atBoth("/media/:serverName/:mediaId"),
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  params: mediaParams,
  doc: {
    id: "getMedium",
    says: "Reads what is known of a file.",
    answers: MEDIUM_INFO,
  },
  async handle(edges, { params }) {
    const { serverName, mediaId } = params;
    const row = await readMedium(edges, serverName, mediaId);
    return {
      media_info: {
        ...mediumAnswer(row),
        media_origin: null,
        filesystem_id: null,
        url_cache: null,
        authenticated: !row.isLegacy,
        sha256: null,
      },
    };
  },
});

const deletedAnswer = (mediaIds: readonly string[]) => ({
  deleted_media: mediaIds,
  total: mediaIds.length,
});

const DELETED = named(
  "DeletedMedia",
  object({ deleted_media: arrayOf(TEXT), total: COUNT }),
);

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#delete-a-specific-local-media */
export const deleteAdminMedium = endpoint<OneMedium>({
  method: "delete",
  ...atBoth("/media/:serverName/:mediaId"),
  auth: "admin",
  permission: "media.delete",
  rateLimit: "admin",
  params: mediaParams,
  doc: {
    id: "deleteMedium",
    says: "Deletes a file for good.",
    answers: DELETED,
  },
  validate: (edges, { params: { serverName, mediaId } }) =>
    validateDeletion(edges, serverName, mediaId),
  async handle(edges, { params, ...by }) {
    const { serverName, mediaId } = params;
    await deleteMedium(edges, by, serverName, mediaId);
    return deletedAnswer([mediaId]);
  },
});

interface OldMediaQuery {
  before_ts: number;
  size_gt?: number;
  keep_profiles?: string;
}

const oldMediaQuery = {
  type: "object",
  properties: {
    before_ts: { type: "integer", minimum: 0 },
    size_gt: { type: "integer", minimum: 0 },
    keep_profiles: choiceProperty,
  },
  required: ["before_ts"],
};

/** Thirty years before anything here in milliseconds; now in seconds. */
const EARLIEST_TS = 30_000_000_000;

function assertMilliseconds(ts: number): void {
  if (ts === 0 || ts >= EARLIEST_TS) return;
  throw new MatrixError(
    "M_INVALID_PARAM",
    "before_ts is a time of 1970: it has to be told in milliseconds.",
  );
}

function assertOfOldMedia(
  edges: Parameters<typeof assertOwnServer>[0],
  serverName: string,
  beforeTs: number,
): void {
  if (serverName !== "") assertOwnServer(edges, serverName);
  assertMilliseconds(beforeTs);
}

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#delete-local-media-by-date-or-size */
export const postDeleteMedia = endpoint<{
  params: { serverName: string };
  query: OldMediaQuery;
}>({
  method: "post",
  path: synapse("/media/:serverName/delete"),
  also: [synapse("/media/delete"), native("/media/delete")],
  auth: "admin",
  permission: "media.delete",
  rateLimit: "admin",
  params: {
    serverName: (segment) =>
      segment === "" ? segment : mediaParams.serverName(segment),
  },
  query: oldMediaQuery,
  doc: {
    id: "deleteOldMedia",
    says: "Deletes files that nobody has had for so long.",
    answers: DELETED,
  },
  validate: async (edges, { params, query }) =>
    assertOfOldMedia(edges, params.serverName, query.before_ts),
  async handle(edges, { params, query, ...by }) {
    assertOfOldMedia(edges, params.serverName, query.before_ts);
    const ids = await deleteOldMedia(edges, by, {
      beforeTs: query.before_ts,
      largerThan: query.size_gt ?? 0,
      keepsProfiles: flagOf("keep_profiles", query.keep_profiles) ?? true,
    });
    return deletedAnswer(ids);
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#purge-remote-media-api */
export const postPurgeMediaCache = endpoint<{
  query: Pick<OldMediaQuery, "before_ts">;
}>({
  method: "post",
  path: synapse("/purge_media_cache"),
  also: [native("/media/purge_cache")],
  auth: "admin",
  permission: "media.delete",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { before_ts: { type: "integer", minimum: 0 } },
    required: ["before_ts"],
  },
  doc: {
    id: "purgeMediaCache",
    says: "Deletes what was fetched of other servers’ pages.",
    answers: object({ deleted: COUNT }),
  },
  validate: async (_edges, { query }) => assertMilliseconds(query.before_ts),
  async handle(edges, { query, ...by }) {
    assertMilliseconds(query.before_ts);
    return { deleted: await purgePreviews(edges, by, query.before_ts) };
  },
});

const ORDERS = [
  ...["media_id", "upload_name", "created_ts", "last_access_ts"],
  ...["media_length", "media_type", "user_id", "quarantined_by"],
  "safe_from_quarantine",
] as const;

interface UserMediaQuery extends ListQuery {
  order_by?: string;
}

const userMediaQuery = {
  type: "object",
  properties: {
    ...listProperties,
    order_by: choiceProperty,
  },
};

/** The newest come first, unless told. */
const mediaQueryOf = (query: UserMediaQuery): MediaQuery => {
  const order = choiceOf("order_by", query.order_by, ORDERS);
  const direction = directionOf(query);
  return {
    ...listPageOf(query),
    order: order ?? "created_ts",
    isDescending:
      direction === undefined ? order === undefined : direction === "b",
  };
};

/** https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-media-uploaded-by-a-user */
export const getMediaOfUser = endpoint<{
  params: { userId: string };
  query: UserMediaQuery;
}>({
  method: "get",
  path: synapse("/users/:userId/media"),
  params: { userId: userParam },
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  query: userMediaQuery,
  async handle(edges, { params, query }) {
    const { media, total } = await searchMediaOf(
      edges,
      params.userId,
      mediaQueryOf(query),
    );
    const next = nextOf(query, media.length, total);
    return {
      media: media.map(mediumAnswer),
      total,
      ...(next !== undefined && { next_token: next }),
    };
  },
});

const LIST_ORDERS = [
  "created_ts",
  ...ORDERS.filter((each) => each !== "created_ts"),
];

/** The same as a list like all others. */
export const listMediaOfUser = endpoint<{
  params: { userId: string };
  query: PageQuery<(typeof ORDERS)[number]>;
}>({
  method: "get",
  path: native("/users/:userId/media"),
  params: { userId: userParam },
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  query: listQuery(LIST_ORDERS),
  doc: {
    id: "listMediaOfUser",
    says: "Lists what a user has uploaded.",
    answers: listAnswer("media", MEDIUM),
  },
  async handle(edges, { params, query }) {
    const { media, total } = await searchMediaOf(edges, params.userId, {
      ...pageOf(query),
      order: query.order_by ?? "created_ts",
    });
    return {
      media: media.map(mediumAnswer),
      ...pageAnswer(query, media.length, total),
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#delete-media-uploaded-by-a-user */
export const deleteMediaOfUser = endpoint<{
  params: { userId: string };
  query: UserMediaQuery;
}>({
  method: "delete",
  path: synapse("/users/:userId/media"),
  params: { userId: userParam },
  auth: "admin",
  permission: "media.delete",
  rateLimit: "admin",
  query: userMediaQuery,
  validate: async (_edges, { query }) => mediaQueryOf(query),
  async handle(edges, { params, query, ...by }) {
    const asked = mediaQueryOf(query);
    const ids = await deleteMediaOf(edges, by, params.userId, asked);
    return deletedAnswer(ids);
  },
});

/** The same for a page like that of any list. */
export const deleteMediaPageOfUser = endpoint<{
  params: { userId: string };
  query: PageQuery<(typeof ORDERS)[number]>;
}>({
  method: "delete",
  path: native("/users/:userId/media"),
  params: { userId: userParam },
  auth: "admin",
  permission: "media.delete",
  rateLimit: "admin",
  query: listQuery(LIST_ORDERS),
  doc: {
    id: "deleteMediaOfUser",
    says: "Deletes a page of what a user has uploaded.",
    answers: DELETED,
  },
  async handle(edges, { params, query, ...by }) {
    const ids = await deleteMediaOf(edges, by, params.userId, {
      ...pageOf(query),
      order: query.order_by ?? "created_ts",
    });
    return deletedAnswer(ids);
  },
});
