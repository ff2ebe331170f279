import type { Endpoint } from "../endpoint.ts";
import {
  getAttributesOfRoom,
  getAttributesOfUser,
  putAttributesOfRoom,
  putAttributesOfUser,
} from "./attributes.ts";
import {
  getOnePolicy,
  getPolicies,
  getPolicyDiff,
  getPolicyExport,
  getPolicyVersion,
  getPolicyVersions,
  postPolicyActivation,
  postPolicyDeactivation,
  postPolicyRollback,
  putPolicy,
} from "./policies.ts";
import { postPolicySimulation } from "./policy-simulation.ts";

/** Policies, and what they go by. */
export const policyEndpoints: readonly Endpoint[] = [
  getPolicies,
  postPolicySimulation,
  getOnePolicy,
  putPolicy,
  getPolicyVersions,
  getPolicyVersion,
  getPolicyExport,
  getPolicyDiff,
  postPolicyActivation,
  postPolicyRollback,
  postPolicyDeactivation,
  getAttributesOfUser,
  putAttributesOfUser,
  getAttributesOfRoom,
  putAttributesOfRoom,
];
