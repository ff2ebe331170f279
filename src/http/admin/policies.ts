import { yamlOf } from "../../core/policy/yaml.ts";
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
import { reply } from "../reply.ts";
import { nameParam, numberParam } from "./names.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
  type PageQuery,
} from "./paging.ts";
import { parsePolicy } from "./policy-schema.ts";

const POLICIES = "/_myelin/admin/v1/policies";
const POLICY = `${POLICIES}/:policyId`;
const policyParams = { policyId: nameParam };
type OnePolicy = { params: { policyId: string } };

const pageQuery = { type: "object", properties: pageProperties };
const versionNumber = { type: "integer", minimum: 1, maximum: 1_000_000 };

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
  query: pageQuery,
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
  query: pageQuery,
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
  validate: (edges, { params }) => getPolicy(edges, params.policyId),
  async handle(edges, { params, ...by }) {
    await deactivatePolicy(edges, by, params.policyId);
    return {};
  },
});
