import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { JobClaim } from "../../../storage/admin-jobs.ts";
import {
  addMembers,
  closeCampaign,
  findCampaignOfJob,
  isAnyoneWaiting,
  listDueReminders,
  listUnsent,
  noteAnswers,
  noteReminded,
  noteSent,
  type CampaignRow,
  type Sending,
} from "../../../storage/campaigns.ts";
import { noticesUserId } from "../../rooms/server-notices.ts";
import { deliverNotices } from "../users/send-notice.ts";
import {
  readProgress,
  TaskFailed,
  type StepEnd,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

interface Progress {
  phase: "gathering" | "sending" | "answers" | "reminders";
  /** Up to whom it was gone through. */
  after: string;
}

const PEOPLE_AT_ONCE = 500;
/** Each may take a room that is made, and an invite. */
const NOTICES_AT_ONCE = 20;
/** How often it is looked who has answered. */
const LOOKS_MS = 60_000;

type Found = CampaignRow & { isOver: boolean };

/** Finds its people, sends each the notice, and then sees to who has not acknowledged it. */
export const campaignTask: TaskKind = {
  async step(edges, job, claim) {
    const campaign = await findCampaignOfJob(edges.db, job.jobId);
    if (!campaign) throw new TaskFailed("The campaign is gone.");
    const progress = readProgress<Progress>(job);
    const { after = "" } = progress;
    switch (progress.phase ?? firstPhaseOf(campaign)) {
      case "gathering":
        return gather(edges, claim, campaign, after);
      case "sending":
        return sendSome(edges, claim, campaign);
      case "answers":
        return noteSome(edges, claim, campaign, after);
      case "reminders":
        return remindSome(edges, claim, campaign);
    }
  },
};

/** A list of users was put there with the campaign. */
const firstPhaseOf = ({ audienceKind }: CampaignRow): Progress["phase"] =>
  audienceKind === "users" ? "sending" : "gathering";

const goOn = (phase: Progress["phase"], after = ""): StepEnd => ({
  progress: { phase, after } satisfies Progress,
  next: "more",
});

async function gather(
  { db, settings }: TaskEdges,
  claim: JobClaim,
  campaign: Found,
  after: string,
): Promise<StepEnd> {
  const notices = noticesUserId(settings);
  const span = { after, limit: PEOPLE_AT_ONCE, notices };
  const { count, last } = await addMembers(db, claim, campaign, span);
  return count < PEOPLE_AT_ONCE ? goOn("sending") : goOn("gathering", last);
}

async function sendSome(
  edges: TaskEdges,
  claim: JobClaim,
  campaign: Found,
): Promise<StepEnd> {
  const { campaignId, content } = campaign;
  const users = await listUnsent(edges.db, campaignId, NOTICES_AT_ONCE);
  const sendings = await sendTo(edges, campaignId, content, users, () => 0);
  if (users.length > 0) await noteSent(edges.db, claim, campaign, sendings);
  return goOn(users.length < NOTICES_AT_ONCE ? "answers" : "sending");
}

async function noteSome(
  { db }: TaskEdges,
  claim: JobClaim,
  { campaignId }: Found,
  after: string,
): Promise<StepEnd> {
  const span = { after, limit: PEOPLE_AT_ONCE };
  const { count, last } = await noteAnswers(db, claim, campaignId, span);
  return count < PEOPLE_AT_ONCE ? goOn("reminders") : goOn("answers", last);
}

async function remindSome(
  edges: TaskEdges,
  claim: JobClaim,
  campaign: Found,
): Promise<StepEnd> {
  const { campaignId, isOver, reminder } = campaign;
  const { db } = edges;
  if (isOver || !(await isAnyoneWaiting(db, campaignId))) {
    await closeCampaign(db, claim, campaignId);
    return { ...goOn("reminders"), next: "done" };
  }
  const due = await listDueReminders(db, campaignId, NOTICES_AT_ONCE);
  const reminded = new Map(due.map((row) => [row.userId, row.reminders + 1]));
  const sendings = await sendTo(
    ...([edges, campaignId, reminder, [...reminded.keys()]] as const),
    (userId) => reminded.get(userId) ?? 0,
  );
  if (due.length > 0) await noteReminded(db, claim, campaign, sendings);
  return due.length < NOTICES_AT_ONCE
    ? { ...goOn("answers"), next: "wait", waitMs: LOOKS_MS }
    : goOn("reminders");
}

/** Sent again after a crash, it is the same notice. */
async function sendTo(
  edges: TaskEdges,
  campaignId: string,
  content: string,
  userIds: readonly string[],
  numberOf: (userId: string) => number,
): Promise<Sending[]> {
  const from = { userId: noticesUserId(edges.settings), deviceId: "" };
  const notice = {
    type: "m.room.message",
    content: {
      ...(JSON.parse(content) as JsonObject),
      "org.myelin.campaign": { campaign_id: campaignId },
    },
  };
  const outcomes = await deliverNotices(
    edges,
    from,
    userIds.map((userId) => ({
      ...{ ...notice, userId, isToAnswer: true as const },
      txnId: `campaign ${campaignId} ${numberOf(userId)}`,
    })),
  );
  return userIds.map((userId, i) => {
    const outcome = outcomes[i]!;
    return outcome instanceof MatrixError
      ? { userId, eventId: null, errcode: outcome.errcode }
      : { userId, eventId: outcome, errcode: null };
  });
}
