import {
  readCertificate,
  searchCertificates,
} from "../../domain/admin/retention/certificates.ts";
import { tryPolicy } from "../../domain/admin/retention/dry-run.ts";
import {
  activatePolicy,
  deletePolicy,
  draftPolicy,
  getActivable,
  listPolicies,
  readPolicyNamed,
  type ShownPolicy,
} from "../../domain/admin/retention/policies.ts";
import {
  SCOPE_KINDS,
  type PolicyDocument,
} from "../../domain/admin/retention/policy.ts";
import { readRetentionStatus } from "../../domain/admin/retention/status.ts";
import { endpoint } from "../endpoint.ts";
import { SIGNED, SIGNED_FIRST, signaturesOf } from "./certificate-answer.ts";
import {
  BOOLEAN,
  COUNT,
  EMPTY,
  INTEGER,
  mapOf,
  named,
  object,
  orNull,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { NAME, nameParam } from "./names.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { native } from "./tools.ts";

const POLICIES = native("/retention/policies");
const POLICY = `${POLICIES}/:policyId`;
type OnePolicy = { params: { policyId: string } };

/** A thousand years. */
const MOST_MS = 31_557_600_000_000;
const lifetime = {
  type: ["integer", "null"],
  minimum: 60_000,
  maximum: MOST_MS,
};

const documentSchema = {
  title: "RetentionDocument",
  type: "object",
  additionalProperties: false,
  properties: {
    scope: {
      type: "object",
      properties: {
        kind: { type: "string", enum: SCOPE_KINDS },
        id: { type: "string", maxLength: 255 },
      },
      required: ["kind"],
    },
    min_lifetime: lifetime,
    max_lifetime: lifetime,
    redact: { type: "boolean" },
    receipts: { type: "boolean" },
    basis: { type: "string", enum: ["age", "access"] },
    description: { type: "string", maxLength: 512 },
  },
  required: ["scope"],
};

const POLICY_FACTS = named(
  "RetentionPolicy",
  object(
    {
      policy_id: NAME,
      version: INTEGER,
      draft: documentSchema,
      is_tried: BOOLEAN,
      changed_by: TEXT,
      changed_ts: TIME,
    },
    {
      active: documentSchema,
      active_version: INTEGER,
      in_force_ts: orNull(TIME),
      activated_by: orNull(TEXT),
      removed_ts: TIME,
    },
  ),
);

const POLICY_STATUS = named(
  "RetentionStatus",
  object(
    {
      policy_id: NAME,
      rooms: COUNT,
      oldest_event_ts: orNull(TIME),
      overdue: COUNT,
      overdue_ms: COUNT,
      held: COUNT,
    },
    {
      last_run: object({
        job_id: TEXT,
        state: TEXT,
        began_ts: TIME,
        ended_ts: orNull(TIME),
      }),
    },
  ),
);

const policyAnswer = (policy: ShownPolicy) => ({
  policy_id: policy.policyId,
  version: policy.version,
  draft: policy.draft,
  is_tried: policy.isTried,
  ...(policy.active && {
    active: policy.active,
    active_version: policy.activeVersion,
    in_force_ts: policy.inForceTs,
    activated_by: policy.activatedBy,
  }),
  ...(policy.removedTs !== null && { removed_ts: policy.removedTs }),
  changed_by: policy.changedBy,
  changed_ts: policy.changedTs,
});

const getRetentionPolicies = endpoint<{ query: PageQuery }>({
  method: "get",
  path: POLICIES,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: listQuery(["policy_id"]),
  doc: {
    id: "listRetentionPolicies",
    says: "Lists how long what is kept.",
    answers: listAnswer("policies", POLICY_FACTS),
  },
  async handle(edges, { query }) {
    const { policies, total } = await listPolicies(edges, pageOf(query));
    return {
      policies: policies.map(policyAnswer),
      ...pageAnswer(query, policies.length, total),
    };
  },
});

const getRetentionPolicy = endpoint<OnePolicy>({
  method: "get",
  path: POLICY,
  params: { policyId: nameParam },
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  doc: {
    id: "getRetentionPolicy",
    says: "Reads a retention policy, its draft and what is in force.",
    answers: POLICY_FACTS,
  },
  async handle(edges, { params }) {
    return policyAnswer(await readPolicyNamed(edges, params.policyId));
  },
});

const putRetentionPolicy = endpoint<OnePolicy & { body: PolicyDocument }>({
  method: "put",
  path: POLICY,
  params: { policyId: nameParam },
  auth: "admin",
  permission: "policies.write",
  rateLimit: "admin",
  body: documentSchema,
  doc: {
    id: "draftRetentionPolicy",
    says: "Drafts a retention policy; what is in force stays so.",
    answers: POLICY_FACTS,
  },
  async handle(edges, { params, body, ...by }) {
    return policyAnswer(await draftPolicy(edges, by, params.policyId, body));
  },
});

const deleteRetentionPolicy = endpoint<OnePolicy>({
  method: "delete",
  path: POLICY,
  params: { policyId: nameParam },
  auth: "admin",
  permission: "policies.activate",
  rateLimit: "admin",
  doc: {
    id: "deleteRetentionPolicy",
    says: "Takes a retention policy away: nothing more is destroyed by it.",
    answers: EMPTY,
  },
  validate: (edges, { params }) => readPolicyNamed(edges, params.policyId),
  async handle(edges, { params, ...by }) {
    await deletePolicy(edges, by, params.policyId);
    return {};
  },
});

const postRetentionDryRun = endpoint<OnePolicy>({
  method: "post",
  path: `${POLICY}/dry-run`,
  params: { policyId: nameParam },
  auth: "admin",
  permission: "policies.write",
  rateLimit: "admin",
  doc: {
    id: "tryRetentionPolicy",
    says: "Counts what a draft would destroy.",
    answers: object({
      version: INTEGER,
      as_of_ts: TIME,
      rooms: COUNT,
      counts: mapOf(COUNT),
    }),
  },
  async handle(edges, { params, ...by }) {
    const trial = await tryPolicy(edges, by, params.policyId);
    return {
      version: trial.version,
      as_of_ts: trial.clock,
      rooms: trial.rooms,
      counts: trial.counts,
    };
  },
});

const postRetentionActivation = endpoint<
  OnePolicy & { body: { version: number } }
>({
  method: "post",
  path: `${POLICY}/activate`,
  params: { policyId: nameParam },
  auth: "admin",
  permission: "policies.activate",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      version: { type: "integer", minimum: 1, maximum: 2_147_483_647 },
    },
    required: ["version"],
  },
  doc: {
    id: "activateRetentionPolicy",
    says: "Puts a draft in force that was tried, when the undo window is over.",
    answers: POLICY_FACTS,
  },
  validate: (edges, { params, body }) =>
    getActivable(edges, params.policyId, body.version),
  async handle(edges, { params, body, ...by }) {
    return policyAnswer(
      await activatePolicy(edges, by, params.policyId, body.version),
    );
  },
});

const getRetentionStatus = endpoint<{ query: PageQuery }>({
  method: "get",
  path: native("/retention/status"),
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: listQuery(["policy_id"]),
  doc: {
    id: "listRetentionStatus",
    says: "Lists how each retention policy in force gets on.",
    answers: listAnswer("policies", POLICY_STATUS, { as_of_ts: TIME }),
  },
  async handle(edges, { query }) {
    const { clock, policies: all } = await readRetentionStatus(edges);
    const policies = cutPage(query, all);
    return {
      as_of_ts: clock,
      ...pageAnswer(query, policies.length, all.length),
      policies: policies.map((policy) => ({
        policy_id: policy.policyId,
        rooms: policy.rooms,
        oldest_event_ts: policy.oldestTs,
        overdue: policy.overdue,
        overdue_ms: policy.overdueMs,
        held: policy.held,
        ...(policy.lastRun && {
          last_run: {
            job_id: policy.lastRun.jobId,
            state: policy.lastRun.state,
            began_ts: policy.lastRun.createdTs,
            ended_ts: policy.lastRun.endedTs,
          },
        }),
      })),
    };
  },
});

const CERTIFICATE = named(
  "RetentionCertificate",
  object(
    {
      ...{ certificate_id: TEXT, policy_id: NAME, run: TEXT, gone_ts: TIME },
      ...{ unreadable_ts: orNull(TIME), ...SIGNED },
    },
    SIGNED_FIRST,
  ),
);

type Certificate = Awaited<ReturnType<typeof readCertificate>>;

const certificateAnswer = (row: Certificate) => ({
  certificate_id: row.certificateId,
  policy_id: row.policyId,
  run: row.jobId,
  gone_ts: row.goneTs,
  unreadable_ts: row.unreadableTs,
  ...signaturesOf(row),
});

const getRetentionCertificates = endpoint<{
  query: PageQuery & { policy_id?: string };
}>({
  method: "get",
  path: native("/retention/certificates"),
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: listQuery(["gone_ts"], { policy_id: NAME }),
  doc: {
    id: "listRetentionCertificates",
    says: "Lists the signed certificates of what was destroyed.",
    answers: listAnswer("certificates", CERTIFICATE),
  },
  async handle(edges, { query }) {
    const { certificates, total } = await searchCertificates(edges, {
      ...pageOf(query),
      policyId: query.policy_id ?? null,
    });
    return {
      certificates: certificates.map(certificateAnswer),
      ...pageAnswer(query, certificates.length, total),
    };
  },
});

const getRetentionCertificate = endpoint<{
  params: { certificateId: string };
}>({
  method: "get",
  path: native("/retention/certificates/:certificateId"),
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  doc: {
    id: "getRetentionCertificate",
    says: "Reads a signed certificate of what was destroyed.",
    answers: CERTIFICATE,
  },
  async handle(edges, { params }) {
    return certificateAnswer(
      await readCertificate(edges, params.certificateId),
    );
  },
});

export const retentionEndpoints = [
  ...[getRetentionPolicies, getRetentionPolicy, putRetentionPolicy],
  ...[deleteRetentionPolicy, postRetentionDryRun, postRetentionActivation],
  ...[getRetentionStatus, getRetentionCertificates, getRetentionCertificate],
];
