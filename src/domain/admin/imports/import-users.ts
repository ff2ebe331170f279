import { MatrixError } from "../../../core/errors.ts";
import type { Edges } from "../../../edges.ts";
import { findJob, type AdminJobRow } from "../../../storage/admin-jobs.ts";
import {
  countImports,
  insertImportRows,
  listFailedImports,
  type FailedImportRow,
  type ImportCounts,
} from "../../../storage/import-rows.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { taskAlarmOf } from "../tasks/task-alarm.ts";
import type { AccountLine, LineFault } from "./account-line.ts";
import { checkList } from "./check-list.ts";
import { importContext } from "./import-context.ts";
import { readList } from "./read-list.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "now" | "random" | "settings"
>;

/** What would become of a list. */
export interface ListReview {
  accounts: number;
  faults: LineFault[];
}

const ROWS_AT_ONCE = 500;
const MOST_FAULTS_TOLD = 500;

export async function reviewList(
  edges: Pick<Edges, "db" | "settings">,
  bytes: Uint8Array,
): Promise<ListReview & { lines: AccountLine[] }> {
  const { lines, faults } = readList(bytes);
  const found = [...faults, ...(await checkList(edges, lines))];
  found.sort((a, b) => a.line - b.line);
  return { accounts: lines.length, faults: found, lines };
}

/**
 * Has accounts made of a list, in a task. A list with a fault is refused as a whole, so
 * that who has mended it can send it again.
 */
export async function importUsers(
  edges: Needs,
  by: ActingAdministrator,
  bytes: Uint8Array,
): Promise<{ jobId: string; accounts: number }> {
  const { lines, faults } = await reviewList(edges, bytes);
  if (faults.length > 0) throw faulty(faults);
  const jobId = edges.random.token(16);
  for (let from = 0; from < lines.length; from += ROWS_AT_ONCE)
    await keep(edges, by, jobId, lines.slice(from, from + ROWS_AT_ONCE));
  const createdBy = by.actor.userId;
  const kind = "import-users" as const;
  await edges.committer.commit({
    positions: 1,
    activeUsers: [createdBy],
    rows: {
      adminJobs: [
        {
          ...{ jobId, kind, createdBy, params: "{}", waitMs: 0 },
          ...{ roomId: null, userId: null },
        },
      ],
    },
    audit: [
      recordOf(by, "", edges.now(), { job: jobId, accounts: lines.length }),
    ],
  });
  taskAlarmOf(edges).ring();
  return { jobId, accounts: lines.length };
}

const faulty = (faults: readonly LineFault[]): MatrixError =>
  new MatrixError(
    "M_INVALID_PARAM",
    `${faults.length} faults are in the list, the first one in line ${faults[0]!.line}: ${faults[0]!.error}`,
    {
      "org.myelin.faults": faults
        .slice(0, MOST_FAULTS_TOLD)
        .map((fault) => ({ ...fault })),
    },
  );

/** Passwords wait under the key of who sent them. */
async function keep(
  { db, keyring, settings }: Needs,
  { actor: { userId: owner } }: ActingAdministrator,
  jobId: string,
  lines: readonly AccountLine[],
): Promise<void> {
  const rows = await Promise.all(
    lines.map(async ({ line, localpart, groups, ...wish }) => ({
      ...{ line, groups, userId: `@${localpart}:${settings.serverName}` },
      ...(await keyring.sealForUser(
        owner,
        importContext(jobId, line),
        JSON.stringify(wish),
      )),
    })),
  );
  await insertImportRows(db, jobId, rows);
}

export interface ImportStatus extends ImportCounts {
  job: AdminJobRow;
  failures: FailedImportRow[];
}

/** @throws MatrixError M_NOT_FOUND */
export async function readImport(
  { db }: Pick<Edges, "db">,
  jobId: string,
  page: { offset: number; limit: number },
): Promise<ImportStatus> {
  const job = await getImportJob(db, jobId);
  const counts = await countImports(db, jobId);
  const failures = await listFailedImports(db, jobId, page);
  return { job, ...counts, failures };
}

export async function getImportJob(
  db: Edges["db"],
  jobId: string,
): Promise<AdminJobRow> {
  const job = await findJob(db, jobId);
  if (job?.kind === "import-users") return job;
  throw new MatrixError("M_NOT_FOUND", "No such import is known here.");
}
