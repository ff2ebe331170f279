import type { JsonObject } from "../../core/json.ts";
import {
  beginCampaign,
  cancelCampaign,
  MEMBER_STATES,
  reportCampaign,
  searchCampaignMembers,
  searchCampaigns,
  type Campaign,
  type CampaignCounts,
  type MemberState,
} from "../../domain/admin/campaigns/campaigns.ts";
import { endpoint } from "../endpoint.ts";
import {
  COUNT,
  EVENT_ID,
  INTEGER,
  keptText,
  named,
  object,
  oneOf,
  open,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { NAME } from "./names.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { native } from "./tools.ts";

const CAMPAIGNS = native("/campaigns");
const CAMPAIGN = `${CAMPAIGNS}/:campaignId`;
type OneCampaign = { params: { campaignId: string } };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const campaignAnswer = (campaign: Campaign) => ({
  campaign_id: campaign.campaignId,
  name: campaign.name,
  state:
    campaign.state === "open" && campaign.jobState === "failed"
      ? "failed"
      : campaign.state,
  job_id: campaign.jobId,
  audience: {
    kind: campaign.audienceKind,
    ...(campaign.audienceId !== "" && { id: campaign.audienceId }),
  },
  content: campaign.content,
  reminder: campaign.reminder,
  remind_after_ms: campaign.remindAfterMs,
  max_reminders: campaign.mostReminders,
  closes_ts: campaign.closesTs,
  created_by: campaign.createdBy,
  created_ts: campaign.createdTs,
  ended_ts: campaign.endedTs,
});

const CAMPAIGN_MEMBERS = {
  campaign_id: TEXT,
  name: TEXT,
  state: TEXT,
  job_id: TEXT,
  audience: object({ kind: oneOf(["all", "group", "users"]) }, { id: TEXT }),
  content: open("The notice, as the content of a message."),
  reminder: orNull(open("What is said instead to who has not acknowledged.")),
  remind_after_ms: orNull(INTEGER),
  max_reminders: COUNT,
  closes_ts: TIME,
  created_by: TEXT,
  created_ts: TIME,
  ended_ts: orNull(TIME),
};
const FACTS = named("Campaign", object(CAMPAIGN_MEMBERS));
const COUNTS = object({
  ...{ members: COUNT, sent: COUNT, failed: COUNT },
  ...{ seen: COUNT, acknowledged: COUNT, reminded: COUNT },
});
const MEMBER = named(
  "CampaignMember",
  object({
    user_id: USER_ID,
    state: oneOf(MEMBER_STATES),
    sent_ts: orNull(TIME),
    seen_ts: orNull(TIME),
    acknowledged_ts: orNull(TIME),
    event_id: orNull(EVENT_ID),
    reminders: COUNT,
    errcode: orNull(TEXT),
  }),
);

const countsAnswer = (counts: CampaignCounts) => ({
  members: counts.members,
  sent: counts.sent,
  failed: counts.failed,
  seen: counts.seen,
  acknowledged: counts.acknowledged,
  reminded: counts.reminded,
});

/** As a message's content is; what the notice says besides is the server's. */
const message = {
  type: "object",
  properties: {
    msgtype: { type: "string", enum: ["m.text", "m.notice"] },
    body: { type: "string", minLength: 1, maxLength: 16_384 },
    format: { type: "string", enum: ["org.matrix.custom.html"] },
    formatted_body: { type: "string", maxLength: 32_768 },
  },
  required: ["msgtype", "body"],
  additionalProperties: false,
};

interface Body {
  name: string;
  content: JsonObject;
  reminder?: JsonObject | null;
  audience: {
    kind: "all" | "group" | "users";
    id?: string;
    users?: string[];
  };
  remind_after_ms?: number | null;
  max_reminders?: number;
  open_for_ms?: number;
}

const postCampaign = endpoint<{ body: Body }>({
  method: "post",
  path: CAMPAIGNS,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      name: keptText(256),
      content: message,
      reminder: { ...message, type: ["object", "null"] },
      audience: {
        type: "object",
        additionalProperties: false,
        properties: {
          kind: { type: "string", enum: ["all", "group", "users"] },
          id: NAME,
          users: {
            type: "array",
            maxItems: 1_000,
            items: { type: "string", maxLength: 255 },
          },
        },
        required: ["kind"],
      },
      remind_after_ms: {
        type: ["integer", "null"],
        minimum: MINUTE_MS,
        maximum: 366 * DAY_MS,
      },
      max_reminders: { type: "integer", minimum: 0, maximum: 20 },
      open_for_ms: {
        type: "integer",
        minimum: MINUTE_MS,
        maximum: 366 * DAY_MS,
      },
    },
    required: ["name", "content", "audience"],
  },
  doc: {
    id: "beginCampaign",
    says: "Sends a notice to many, who acknowledge it, as a task.",
    answers: FACTS,
  },
  async handle(edges, { body, ...by }) {
    const { kind, id = "", users = [] } = body.audience;
    const { remind_after_ms: remindAfterMs = null } = body;
    const { max_reminders: mostReminders = 1 } = body;
    const campaign = await beginCampaign(edges, by, {
      name: body.name,
      content: body.content,
      reminder: body.reminder ?? null,
      audience: { kind, id, users: [...new Set(users)] },
      remindAfterMs,
      mostReminders: remindAfterMs === null ? 0 : mostReminders,
      openForMs: body.open_for_ms ?? 30 * DAY_MS,
    });
    return campaignAnswer(campaign);
  },
});

const getCampaigns = endpoint<{ query: PageQuery }>({
  method: "get",
  path: CAMPAIGNS,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  query: listQuery(["created_ts"]),
  doc: {
    id: "listCampaigns",
    says: "Lists campaigns.",
    answers: listAnswer("campaigns", FACTS),
  },
  async handle(edges, { query }) {
    const { campaigns, total } = await searchCampaigns(edges, pageOf(query));
    return {
      campaigns: campaigns.map(campaignAnswer),
      ...pageAnswer(query, campaigns.length, total),
    };
  },
});

const getCampaign = endpoint<OneCampaign>({
  method: "get",
  path: CAMPAIGN,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  doc: {
    id: "getCampaign",
    says: "Reads a campaign and how many it has reached.",
    answers: named(
      "CampaignReport",
      object({ ...CAMPAIGN_MEMBERS, counts: COUNTS }),
    ),
  },
  async handle(edges, { params }) {
    const { counts, ...row } = await reportCampaign(edges, params.campaignId);
    return { ...campaignAnswer(row), counts: countsAnswer(counts) };
  },
});

const getCampaignMembers = endpoint<
  OneCampaign & { query: PageQuery & { state?: MemberState } }
>({
  method: "get",
  path: `${CAMPAIGN}/members`,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  query: listQuery(["user_id"], {
    state: { type: "string", enum: MEMBER_STATES },
  }),
  doc: {
    id: "listCampaignMembers",
    says: "Lists whom a campaign is for, and what they have done about it.",
    answers: listAnswer("members", MEMBER),
  },
  async handle(edges, { params, query }) {
    const { members, total } = await searchCampaignMembers(
      ...([edges, params.campaignId, query.state ?? null] as const),
      pageOf(query),
    );
    return {
      members: members.map((member) => ({
        user_id: member.userId,
        state: member.state,
        sent_ts: member.sentTs,
        seen_ts: member.seenTs,
        acknowledged_ts: member.acknowledgedTs,
        event_id: member.eventId,
        reminders: member.reminders,
        errcode: member.errcode,
      })),
      ...pageAnswer(query, members.length, total),
    };
  },
});

const postCancelCampaign = endpoint<OneCampaign>({
  method: "post",
  path: `${CAMPAIGN}/cancel`,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  doc: {
    id: "cancelCampaign",
    says: "Ends a campaign: nobody is told or reminded any more.",
    answers: FACTS,
  },
  async handle(edges, { params, ...by }) {
    return campaignAnswer(await cancelCampaign(edges, by, params.campaignId));
  },
});

export const campaignEndpoints = [
  ...[postCampaign, getCampaigns, getCampaign, getCampaignMembers],
  postCancelCampaign,
];
