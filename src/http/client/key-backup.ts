import type { JsonObject } from "../../core/json.ts";
import {
  createBackup,
  deleteBackup,
  getBackup,
  updateBackup,
} from "../../domain/encryption/key-backup-versions.ts";
import { endpoint } from "../endpoint.ts";

type OneVersion = { params: { version: string } };
const PATH = "/_matrix/client/v3/room_keys/version";

const info = {
  algorithm: { type: "string" },
  auth_data: { type: "object" },
};

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion */
export const postBackupVersion = endpoint<{
  body: { algorithm: string; auth_data: JsonObject };
}>({
  method: "post",
  path: PATH,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  rateLimit: "keys",
  body: {
    type: "object",
    required: ["algorithm", "auth_data"],
    properties: info,
  },
  async handle(edges, { requester, body }) {
    return { version: await createBackup(edges, requester.userId, body) };
  },
});

/**
 * Clients take 404 for that nobody has a backup yet, and any other error for a
 * fault that they try again.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion
 */
export const getNewestBackup = endpoint({
  method: "get",
  path: PATH,
  auth: "user",
  async handle(edges, { requester }) {
    return getBackup(edges, requester.userId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion */
export const getBackupVersion = endpoint<OneVersion>({
  method: "get",
  path: `${PATH}/:version`,
  auth: "user",
  async handle(edges, { requester, params }) {
    return getBackup(edges, requester.userId, params.version);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion */
export const putBackupVersion = endpoint<
  OneVersion & {
    body: { algorithm: string; auth_data: JsonObject; version?: string };
  }
>({
  method: "put",
  path: `${PATH}/:version`,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  rateLimit: "keys",
  body: {
    type: "object",
    required: ["algorithm", "auth_data"],
    properties: { ...info, version: { type: "string" } },
  },
  async handle(edges, { requester, params, body }) {
    await updateBackup(edges, requester.userId, params.version, body);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion */
export const deleteBackupVersion = endpoint<OneVersion>({
  method: "delete",
  path: `${PATH}/:version`,
  auth: "user",
  ownerOnly: true,
  rateLimit: "keys",
  async handle(edges, { requester, params }) {
    await deleteBackup(edges, requester.userId, params.version);
    return {};
  },
});
