import { runJob } from "../../src/domain/jobs/job.ts";
import { destroyReleasedContents } from "../../src/domain/jobs/destroy-released.ts";
import { administrator } from "./administrators.ts";
import { must } from "./rooms.ts";
import type { Json, TestProcess, TestServer, TestUser } from "./server.ts";

const HOLDS = "/_myelin/admin/v1/holds";
const GROUNDS = { name: "A case", case_id: "case-1", reason: "ordered" };

/** Somebody who places and releases holds. */
export const complianceOfficer = (server: TestServer): Promise<TestUser> =>
  administrator(server, "compliance", "compliance-officer");

/** Places a hold and answers its id. */
export async function placeHold(officer: TestUser, of: Json): Promise<string> {
  const hold = must(await officer.post(HOLDS, { ...GROUNDS, ...of }));
  return hold["hold_id"] as string;
}

export async function releaseHold(
  officer: TestUser,
  holdId: string,
): Promise<void> {
  must(await officer.post(`${HOLDS}/${holdId}/release`, { reason: "over" }));
}

/** What is done by and by after a release. */
export async function destroyReleased({
  edges,
}: Pick<TestProcess, "edges">): Promise<void> {
  await edges.db`delete from leases where name = ${destroyReleasedContents.name}`;
  await runJob(edges, destroyReleasedContents);
}
