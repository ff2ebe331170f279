import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Edges } from "../../../edges.ts";
import {
  countCampaign,
  findCampaign,
  listCampaignMembers,
  listCampaigns,
  type AudienceKind,
  type CampaignCounts,
  type CampaignMemberRow,
  type CampaignRow,
  type MemberState,
} from "../../../storage/campaigns.ts";
import { hasGroup } from "../../../storage/user-groups.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { taskAlarmOf } from "../tasks/task-alarm.ts";
import { assertAccounts } from "../users/assert-accounts.ts";

export { MEMBER_STATES } from "../../../storage/campaigns.ts";
export type { CampaignCounts, CampaignMemberRow, MemberState };

export interface Campaign extends Omit<CampaignRow, "content" | "reminder"> {
  content: JsonObject;
  reminder: JsonObject;
}

const campaignOf = ({ content, reminder, ...row }: CampaignRow): Campaign => ({
  ...row,
  content: JSON.parse(content) as JsonObject,
  reminder: JSON.parse(reminder) as JsonObject,
});

export interface NewCampaign {
  name: string;
  content: JsonObject;
  /** In place of the notice's own text, with a word before it. */
  reminder: JsonObject | null;
  audience: {
    kind: AudienceKind;
    /** The group. */
    id: string;
    users: readonly string[];
  };
  remindAfterMs: number | null;
  mostReminders: number;
  openForMs: number;
}

type Page = { offset: number; limit: number; isDescending: boolean };

/**
 * Tells many something, and follows who has taken note of it, in a task.
 * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND
 */
export async function beginCampaign(
  edges: Pick<Edges, "committer" | "db" | "memory" | "now" | "random">,
  by: ActingAdministrator,
  campaign: NewCampaign,
): Promise<Campaign> {
  const { audience, content, reminder, ...others } = campaign;
  await assertAudience(edges, audience);
  const campaignId = edges.random.token(16);
  const jobId = edges.random.token(16);
  const createdBy = by.actor.userId;
  await edges.committer.commit({
    positions: 1,
    rows: {
      adminJobs: [
        {
          ...{ jobId, kind: "campaign", createdBy, waitMs: 0, params: "{}" },
          ...{ roomId: null, userId: null },
        },
      ],
      campaigns: [
        {
          ...{ ...others, campaignId, jobId, createdBy },
          ...{ audienceKind: audience.kind, audienceId: audience.id },
          users: audience.users,
          content: JSON.stringify(content),
          reminder: JSON.stringify(reminder ?? reminderOf(content)),
        },
      ],
    },
    audit: [
      recordOf(by, `campaign ${campaignId}`, edges.now(), {
        ...{ job: jobId, audience: audience.kind },
        ...(audience.kind === "group" && { group: audience.id }),
        ...(audience.kind === "users" && { users: audience.users.length }),
      }),
    ],
  });
  taskAlarmOf(edges).ring();
  return getCampaign(edges, campaignId);
}

const reminderOf = (content: JsonObject): JsonObject => {
  const { body, msgtype = "m.text" } = content;
  return typeof body === "string"
    ? { msgtype, body: `Reminder 提醒: ${body}` }
    : content;
};

async function assertAudience(
  { db }: Pick<Edges, "db">,
  { kind, id, users }: NewCampaign["audience"],
): Promise<void> {
  if (
    (kind === "group") !== (id !== "") ||
    (kind === "users") !== users.length > 0
  )
    throw new MatrixError(
      "M_INVALID_PARAM",
      "An audience is all, a group by its id, or users by a list of them.",
    );
  if (kind === "group" && !(await hasGroup(db, id)))
    throw new MatrixError("M_NOT_FOUND", "There is no such group.");
  await assertAccounts({ db }, users, "users must be user IDs.");
}

export async function searchCampaigns(
  { db }: Pick<Edges, "db">,
  page: Page,
): Promise<{ campaigns: Campaign[]; total: number }> {
  const { campaigns, total } = await listCampaigns(db, page);
  return { campaigns: campaigns.map(campaignOf), total };
}

/** @throws MatrixError M_NOT_FOUND */
export async function getCampaign(
  { db }: Pick<Edges, "db">,
  campaignId: string,
): Promise<Campaign> {
  const campaign = await findCampaign(db, campaignId);
  if (campaign) return campaignOf(campaign);
  throw new MatrixError("M_NOT_FOUND", "There is no such campaign.");
}

export async function reportCampaign(
  edges: Pick<Edges, "db">,
  campaignId: string,
): Promise<Campaign & { counts: CampaignCounts }> {
  const campaign = await getCampaign(edges, campaignId);
  return { ...campaign, counts: await countCampaign(edges.db, campaignId) };
}

export async function searchCampaignMembers(
  edges: Pick<Edges, "db">,
  campaignId: string,
  state: MemberState | null,
  page: Page,
): Promise<{ members: CampaignMemberRow[]; total: number }> {
  await getCampaign(edges, campaignId);
  return listCampaignMembers(edges.db, campaignId, state, page);
}

/**
 * Sends nothing more of it, and follows nobody's answer any more.
 * @throws MatrixError M_NOT_FOUND, M_BAD_STATE
 */
export async function cancelCampaign(
  edges: Pick<Edges, "committer" | "db" | "now">,
  by: ActingAdministrator,
  campaignId: string,
): Promise<Campaign> {
  const { jobId, state } = await getCampaign(edges, campaignId);
  if (state !== "open")
    throw new MatrixError("M_BAD_STATE", "This campaign has ended.");
  await edges.committer.commit({
    positions: 1,
    rows: { cancelledAdminJobs: [{ jobId }] },
    audit: [
      recordOf(by, `campaign ${campaignId}`, edges.now(), { cancelled: jobId }),
    ],
  });
  return getCampaign(edges, campaignId);
}
