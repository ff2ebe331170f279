import { yamlOf } from "../../core/yaml.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import {
  activatePolicy,
  deactivatePolicy,
  rollBackPolicy,
  validateActivation,
  validateRollback,
} from "../../domain/policies/activate.ts";
import {
  diffVersions,
  draftPolicy,
  getPolicy,
  getStandingVersion,
  getVersion,
  searchPolicies,
  searchVersions,
  type PolicyVersion,
} from "../../domain/policies/versions.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  EMPTY,
  INTEGER,
  named,
  object,
  orNull,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import { NAME, nameParam, numberParam } from "./names.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { parsePolicy, policyRule, policySchema } from "./policy-schema.ts";

const POLICIES = "/_myelin/admin/v1/policies";
const POLICY = `${POLICIES}/:policyId`;
const policyParams = { policyId: nameParam };
type OnePolicy = { params: { policyId: string } };

const versionNumber = { type: "integer", minimum: 1, maximum: 1_000_000 };

const POLICY_FACTS = named(
  "Policy",
  object({
    policy_id: NAME,
    active_version: orNull(INTEGER),
    activated_by: orNull(TEXT),
    activated_ts: orNull(TIME),
    latest_version: INTEGER,
  }),
);
const versionFacts = {
  policy_id: NAME,
  version: INTEGER,
  author: TEXT,
  created_ts: TIME,
};
const VERSION = named("PolicyVersion", object(versionFacts));

const policyJson = (policy: Awaited<ReturnType<typeof getPolicy>>) => ({
  policy_id: policy.policyId,
  active_version: policy.activeVersion,
  activated_by: policy.activatedBy,
  activated_ts: policy.activatedTs,
  latest_version: policy.latestVersion,
});

const versionJson = (version: Omit<PolicyVersion, "document">) => ({
  policy_id: version.policyId,
  version: version.version,
  author: version.author,
  created_ts: version.createdTs,
});

export const getPolicies = endpoint<{ query: PageQuery }>({
  method: "get",
  path: POLICIES,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: listQuery(["policy_id"]),
  doc: {
    id: "listPolicies",
    says: "Lists policies, and which version of each is in force.",
    answers: listAnswer("policies", POLICY_FACTS),
  },
  async handle(edges, { query }) {
    const { policies, total } = await searchPolicies(edges, pageOf(query));
    return {
      policies: policies.map(policyJson),
      ...pageAnswer(query, policies.length, total),
    };
  },
});

export const getOnePolicy = endpoint<OnePolicy>({
  method: "get",
  path: POLICY,
  params: policyParams,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  doc: {
    id: "getPolicy",
    says: "Reads which version of a policy is in force.",
    answers: POLICY_FACTS,
  },
  async handle(edges, { params }) {
    return policyJson(await getPolicy(edges, params.policyId));
  },
});

/** A new version, which decides nothing until it is in force. */
export const putPolicy = endpoint<OnePolicy & { body: JsonObject }>({
  method: "put",
  path: POLICY,
  params: policyParams,
  auth: "admin",
  permission: "policies.write",
  rateLimit: "admin",
  body: { type: "object" },
  doc: {
    id: "draftPolicy",
    says: "Writes a new version, which decides nothing until it is in force.",
    answers: object({ policy_id: NAME, version: INTEGER }),
    takes: policySchema,
  },
  async handle(edges, { params, body, ...by }) {
    const { policyId } = params;
    const document = parsePolicy(body);
    const version = await draftPolicy(edges, by, policyId, document);
    return { policy_id: policyId, version };
  },
});

export const getPolicyVersions = endpoint<OnePolicy & { query: PageQuery }>({
  method: "get",
  path: `${POLICY}/versions`,
  params: policyParams,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: listQuery(["version"]),
  doc: {
    id: "listPolicyVersions",
    says: "Lists the versions of a policy.",
    answers: listAnswer("versions", VERSION),
  },
  async handle(edges, { params, query }) {
    const { policyId } = params;
    const page = pageOf(query);
    const { versions, total } = await searchVersions(edges, policyId, page);
    return {
      versions: versions.map(versionJson),
      ...pageAnswer(query, versions.length, total),
    };
  },
});

export const getPolicyVersion = endpoint<{
  params: { policyId: string; version: number };
}>({
  method: "get",
  path: `${POLICY}/versions/:version`,
  params: { ...policyParams, version: numberParam },
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  doc: {
    id: "getPolicyVersion",
    says: "Reads a version of a policy.",
    answers: object({ ...versionFacts, document: policySchema }),
  },
  async handle(edges, { params }) {
    const found = await getVersion(edges, params.policyId, params.version);
    return { ...versionJson(found), document: found.document };
  },
});

/** The document that is in force, or else the latest; as a file. */
export const getPolicyExport = endpoint<
  OnePolicy & { query: { version?: number; format?: "json" | "yaml" } }
>({
  method: "get",
  path: `${POLICY}/export`,
  params: policyParams,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      version: versionNumber,
      format: { type: "string", enum: ["json", "yaml"] },
    },
  },
  doc: {
    id: "exportPolicy",
    says: "Exports the version that is in force, or else the latest.",
    answers: ["application/json", "application/yaml"],
  },
  async handle(edges, { params, query }) {
    const { policyId } = params;
    const { version, format = "json" } = query;
    const { document } =
      version === undefined
        ? await getStandingVersion(edges, policyId)
        : await getVersion(edges, policyId, version);
    const headers = {
      "Content-Disposition": `attachment; filename="${policyId}.${format}"`,
    };
    return format === "json"
      ? reply({ headers, body: document })
      : reply({
          headers: { ...headers, "Content-Type": "application/yaml" },
          body: yamlOf(document as unknown as JsonValue),
        });
  },
});

/** What the version `to` has other than `from`: the latest than the one in force, unless said. */
export const getPolicyDiff = endpoint<
  OnePolicy & { query: { from?: number; to?: number } }
>({
  method: "get",
  path: `${POLICY}/diff`,
  params: policyParams,
  auth: "admin",
  permission: "policies.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { from: versionNumber, to: versionNumber },
  },
  doc: {
    id: "diffPolicy",
    says: "Tells what one version has other than another.",
    answers: object({
      added: arrayOf(policyRule),
      removed: arrayOf(policyRule),
      changed: arrayOf(object({ from: policyRule, to: policyRule })),
      is_reordered: BOOLEAN,
    }),
  },
  async handle(edges, { params, query }) {
    const diff = await diffVersions(edges, params.policyId, query);
    const { isReordered, ...rules } = diff;
    return { ...rules, is_reordered: isReordered };
  },
});

export const postPolicyActivation = endpoint<
  OnePolicy & { body: { version: number } }
>({
  method: "post",
  path: `${POLICY}/activate`,
  params: policyParams,
  auth: "admin",
  permission: "policies.activate",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { version: versionNumber },
    required: ["version"],
  },
  doc: {
    id: "activatePolicy",
    says: "Puts a version in force.",
    answers: EMPTY,
  },
  validate: (edges, { params, body, ...by }) =>
    validateActivation(edges, by, params.policyId, body.version),
  async handle(edges, { params, body, ...by }) {
    await activatePolicy(edges, by, params.policyId, body.version);
    return {};
  },
});

/** The version that was in force before is in force again. */
export const postPolicyRollback = endpoint<OnePolicy>({
  method: "post",
  path: `${POLICY}/rollback`,
  params: policyParams,
  auth: "admin",
  permission: "policies.activate",
  rateLimit: "admin",
  doc: {
    id: "rollBackPolicy",
    says: "Puts the version in force that was before.",
    answers: EMPTY,
  },
  validate: (edges, { params, ...by }) =>
    validateRollback(edges, by, params.policyId),
  async handle(edges, { params, ...by }) {
    await rollBackPolicy(edges, by, params.policyId);
    return {};
  },
});

export const postPolicyDeactivation = endpoint<OnePolicy>({
  method: "post",
  path: `${POLICY}/deactivate`,
  params: policyParams,
  auth: "admin",
  permission: "policies.activate",
  rateLimit: "admin",
  doc: {
    id: "deactivatePolicy",
    says: "Puts a policy out of force.",
    answers: EMPTY,
  },
  validate: (edges, { params }) => getPolicy(edges, params.policyId),
  async handle(edges, { params, ...by }) {
    await deactivatePolicy(edges, by, params.policyId);
    return {};
  },
});
