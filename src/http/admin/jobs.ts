import {
  cancelJob,
  readJob,
  searchJobs,
} from "../../domain/admin/room-tasks.ts";
import { readProgress } from "../../domain/admin/tasks/task.ts";
import { endpoint } from "../endpoint.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
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
  query: {
    type: "object",
    properties: {
      ...pageProperties,
      kind: { type: "string", enum: KINDS },
      state: { type: "string", enum: STATES },
      room_id: { type: "string", maxLength: 255 },
    },
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
  async handle(edges, { params, ...by }) {
    return jobAnswer(await cancelJob(edges, by, params.jobId));
  },
});
