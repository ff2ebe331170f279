import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { claimKeys } from "../../domain/encryption/claim-keys.ts";
import { readKeyChanges } from "../../domain/encryption/key-changes.ts";
import { queryKeys } from "../../domain/encryption/query-keys.ts";
import {
  uploadCrossSigningKeys,
  type CrossSigningUpload,
} from "../../domain/encryption/upload-cross-signing.ts";
import { uploadKeys } from "../../domain/encryption/upload-keys.ts";
import { uploadSignatures } from "../../domain/encryption/upload-signatures.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";
import {
  claimSchema,
  crossSigningSchema,
  querySchema,
  signaturesSchema,
  uploadSchema,
} from "./keys-schemas.ts";

const KIB = 1024;

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
export const postKeysUpload = endpoint<{
  params: { deviceId: string };
  body: {
    device_keys?: JsonObject;
    one_time_keys?: JsonObject;
    fallback_keys?: JsonObject;
    "org.matrix.msc2732.fallback_keys"?: JsonObject;
  };
}>({
  method: "post",
  path: "/_matrix/client/v3/keys/upload/:deviceId",
  also: ["/_matrix/client/v3/keys/upload"],
  auth: "user",
  ownerOnly: true,
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: 512 * KIB,
  body: uploadSchema,
  async handle(edges, { requester, params, body }) {
    if (params.deviceId !== "" && params.deviceId !== requester.deviceId) {
      throw new MatrixError("M_INVALID_PARAM", "This is not your device.");
    }
    const one_time_key_counts = await uploadKeys(edges, requester, {
      ...(body.device_keys && { deviceKeys: body.device_keys }),
      oneTimeKeys: body.one_time_keys ?? {},
      fallbackKeys:
        body.fallback_keys ?? body["org.matrix.msc2732.fallback_keys"] ?? {},
    });
    return { one_time_key_counts };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
export const postKeysQuery = endpoint<{
  body: { device_keys: Record<string, string[]> };
}>({
  method: "post",
  path: "/_matrix/client/v3/keys/query",
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: 512 * KIB,
  body: querySchema,
  async handle(edges, { requester, body }) {
    const wanted = new Map(Object.entries(body.device_keys));
    return queryKeys(edges, requester.userId, wanted);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim */
export const postKeysClaim = endpoint<{
  body: { one_time_keys: Record<string, Record<string, string>> };
}>({
  method: "post",
  path: "/_matrix/client/v3/keys/claim",
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: 512 * KIB,
  body: claimSchema,
  async handle(edges, { body }) {
    return claimKeys(edges, body.one_time_keys);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges */
export const getKeysChanges = endpoint<{ query: { from: string; to: string } }>(
  {
    method: "get",
    path: "/_matrix/client/v3/keys/changes",
    auth: "user",
    rateLimit: "keys",
    query: {
      type: "object",
      required: ["from", "to"],
      properties: { from: { type: "string" }, to: { type: "string" } },
    },
    async handle(edges, { requester, query }) {
      return readKeyChanges(edges, requester, query);
    },
  },
);

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload */
export const postDeviceSigning = endpoint<{ body: CrossSigningUpload }>({
  method: "post",
  path: "/_matrix/client/v3/keys/device_signing/upload",
  auth: "user",
  audit: "auth.cross_signing",
  ownerOnly: true,
  rateLimit: "keys",
  body: crossSigningSchema,
  async handle(edges, { requester, body, request }) {
    const address = limitKeyOf(request.ip);
    const challenge = await uploadCrossSigningKeys(
      edges,
      requester,
      body,
      address,
    );
    return challenge ? reply({ status: 401, body: challenge }) : {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload */
export const postSignatures = endpoint<{
  body: Record<string, Record<string, JsonObject>>;
}>({
  method: "post",
  path: "/_matrix/client/v3/keys/signatures/upload",
  auth: "user",
  ownerOnly: true,
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: 512 * KIB,
  body: signaturesSchema,
  async handle(edges, { requester, body }) {
    return { failures: await uploadSignatures(edges, requester, body) };
  },
});
