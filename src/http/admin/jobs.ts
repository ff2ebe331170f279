import {
  cancelJob,
  readJob,
  searchJobs,
} from "../../domain/admin/room-tasks.ts";
import { readProgress } from "../../domain/admin/tasks/task.ts";
import { endpoint } from "../endpoint.ts";
import {
  named,
  object,
  oneOf,
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
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { native } from "./tools.ts";

const KINDS = [
  ...["delete-room", "purge-history", "redact-user", "retention", "erase-user"],
  ...["import-users", "campaign", "end-sessions"],
] as const;
const STATES = [
  ...["scheduled", "active", "complete", "failed", "cancelled"],
] as const;

/** How far a task has come, in its own words. */
export const PROGRESS = open("What a task of its kind counts.");

const JOB = named(
  "Job",
  object(
    {
      job_id: TEXT,
      kind: oneOf(KINDS),
      state: oneOf(STATES),
      progress: PROGRESS,
      not_before: TIME,
      created_by: TEXT,
      created_ts: TIME,
      ended_ts: orNull(TIME),
    },
    { room_id: ROOM_ID, user_id: USER_ID, error: TEXT },
  ),
);

type Job = Awaited<ReturnType<typeof readJob>>;

const jobAnswer = (job: Job) => ({
  job_id: job.jobId,
  kind: job.kind,
  state: job.state,
  ...(job.roomId !== null && { room_id: job.roomId }),
  ...(job.userId !== null && { user_id: job.userId }),
  progress: readProgress(job),
  not_before: job.notBefore,
  created_by: job.createdBy,
  created_ts: job.createdTs,
  ended_ts: job.endedTs,
  ...(job.error !== null && { error: job.error }),
});

export const getJobs = endpoint<{
  query: PageQuery & { kind?: string; state?: string; room_id?: string };
}>({
  method: "get",
  path: native("/jobs"),
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  query: listQuery(["created_ts"], {
    kind: oneOf(KINDS),
    state: oneOf(STATES),
    room_id: { type: "string", maxLength: 255 },
  }),
  doc: {
    id: "listJobs",
    says: "Lists tasks that take long.",
    answers: listAnswer("jobs", JOB),
  },
  async handle(edges, { query }) {
    const { jobs, total } = await searchJobs(edges, {
      ...pageOf(query),
      kind: query.kind ?? null,
      state: query.state ?? null,
      roomId: query.room_id ?? null,
    });
    return {
      jobs: jobs.map(jobAnswer),
      ...pageAnswer(query, jobs.length, total),
    };
  },
});

type OneJob = { params: { jobId: string } };

export const getJob = endpoint<OneJob>({
  method: "get",
  path: native("/jobs/:jobId"),
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  doc: { id: "getJob", says: "Reads how far a task has come.", answers: JOB },
  async handle(edges, { params }) {
    return jobAnswer(await readJob(edges, params.jobId));
  },
});

export const deleteJob = endpoint<OneJob>({
  method: "delete",
  path: native("/jobs/:jobId"),
  auth: "admin",
  permission: "jobs.write",
  rateLimit: "admin",
  doc: {
    id: "cancelJob",
    says: "Takes back a task that has not begun to destroy.",
    answers: JOB,
  },
  async handle(edges, { params, ...by }) {
    return jobAnswer(await cancelJob(edges, by, params.jobId));
  },
});
