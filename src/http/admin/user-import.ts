import { addImportedToGroups } from "../../domain/admin/imports/add-to-groups.ts";
import {
  getImportJob,
  importUsers,
  readImport,
  reviewList,
} from "../../domain/admin/imports/import-users.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  INTEGER,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { native } from "./tools.ts";

const IMPORT = native("/users/import");
type OneImport = { params: { jobId: string } };

const MOST_FAULTS_TOLD = 500;

/** CSV, or lines of JSON objects. */
const postImport = endpoint<{
  query: { dry_run?: boolean };
  body: Buffer;
}>({
  method: "post",
  path: IMPORT,
  auth: "admin",
  permission: "users.create",
  rateLimit: "admin",
  takesBytes: true,
  maxBodyBytes: 4 * 1024 * 1024,
  query: { type: "object", properties: { dry_run: { type: "boolean" } } },
  doc: {
    id: "importUsers",
    also: [202],
    says: "Makes the accounts of a list, as a task; or tells what is wrong with it.",
    answers: object(
      { accounts: COUNT },
      {
        job_id: TEXT,
        faults: arrayOf(
          object(
            { line: INTEGER, errcode: TEXT, error: TEXT },
            { column: TEXT },
          ),
        ),
        total_faults: COUNT,
      },
    ),
  },
  async handle(edges, { query, body, ...by }) {
    if (query.dry_run === true) {
      const { accounts, faults } = await reviewList(edges, body);
      return {
        accounts,
        faults: faults.slice(0, MOST_FAULTS_TOLD),
        total_faults: faults.length,
      };
    }
    const { jobId, accounts } = await importUsers(edges, by, body);
    return reply({ status: 202, body: { job_id: jobId, accounts } });
  },
});

const IMPORT_FACTS = {
  ...{ job_id: TEXT, state: TEXT, created_by: TEXT },
  ...{ created_ts: TIME, ended_ts: orNull(TIME), accounts: COUNT },
  ...{ made: COUNT, failed: COUNT, waiting: COUNT, cancelled: COUNT },
};

/** How an import gets on, and which lines came to nothing. */
const getImport = endpoint<OneImport & { query: PageQuery }>({
  method: "get",
  path: `${IMPORT}/:jobId`,
  auth: "admin",
  permission: "users.create",
  rateLimit: "admin",
  query: listQuery(["line"]),
  doc: {
    id: "getImport",
    says: "Reads how an import gets on, and which lines came to nothing.",
    answers: listAnswer(
      "failures",
      object({ line: INTEGER, user_id: USER_ID, errcode: TEXT }),
      IMPORT_FACTS,
    ),
  },
  async handle(edges, { params, query }) {
    const page = pageOf(query);
    const { job, failures, ...counts } = await readImport(
      ...([edges, params.jobId, page] as const),
    );
    return {
      job_id: job.jobId,
      state: job.state,
      created_by: job.createdBy,
      created_ts: job.createdTs,
      ended_ts: job.endedTs,
      accounts: counts.rows,
      made: counts.made,
      failed: counts.failed,
      waiting: counts.waiting,
      cancelled: counts.cancelled,
      failures: failures.map(({ line, userId, errcode }) => ({
        ...{ line, user_id: userId, errcode },
      })),
      ...pageAnswer(query, failures.length, counts.failed),
    };
  },
});

const postImportGroups = endpoint<OneImport>({
  method: "post",
  path: `${IMPORT}/:jobId/groups`,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  doc: {
    id: "addImportedToGroups",
    says: "Adds imported accounts to the groups that their list names.",
    answers: object({ added: COUNT, complete: BOOLEAN }),
  },
  validate: (edges, { params }) => getImportJob(edges.db, params.jobId),
  async handle(edges, { params, ...by }) {
    const { added, isComplete } = await addImportedToGroups(
      ...([edges, by, params.jobId] as const),
    );
    return { added, complete: isComplete };
  },
});

export const importEndpoints = [postImport, getImport, postImportGroups];
