import type { JsonObject } from "../../core/json.ts";
import {
  deleteDehydratedDevice as removeDevice,
  getDehydratedDevice as getDevice,
  putDehydratedDevice as storeDevice,
  readDehydratedEvents,
} from "../../domain/encryption/dehydrated-device.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";
import { deviceKeysSchema, oneTimeKeysSchema } from "./keys-schemas.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
const EVENTS = `${PATH}/:deviceId/events`;

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
export const putDehydratedDevice = endpoint<{
  body: {
    device_id: string;
    device_data: JsonObject;
    initial_device_display_name?: string;
    device_keys: JsonObject;
    one_time_keys?: JsonObject;
    fallback_keys?: JsonObject;
  };
}>({
  method: "put",
  path: PATH,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: 512 * 1024,
  body: {
    type: "object",
    required: ["device_id", "device_data", "device_keys"],
    properties: {
      device_id: { type: "string" },
      device_data: {
        type: "object",
        required: ["algorithm"],
        properties: { algorithm: { type: "string" } },
      },
      initial_device_display_name: { type: "string", maxLength: 1024 },
      device_keys: deviceKeysSchema,
      one_time_keys: oneTimeKeysSchema,
      fallback_keys: oneTimeKeysSchema,
    },
  },
  async handle(edges, { requester, body }) {
    const { device_id, initial_device_display_name: displayName } = body;
    await storeDevice(edges, requester, {
      deviceId: device_id,
      data: body.device_data,
      ...(displayName !== undefined && { displayName }),
      deviceKeys: body.device_keys,
      oneTimeKeys: body.one_time_keys ?? {},
      fallbackKeys: body.fallback_keys ?? {},
    });
    return { device_id };
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
export const getDehydratedDevice = endpoint({
  method: "get",
  path: PATH,
  auth: "user",
  async handle(edges, { requester }) {
    return getDevice(edges, requester.userId);
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
export const deleteDehydratedDevice = endpoint({
  method: "delete",
  path: PATH,
  auth: "user",
  ownerOnly: true,
  rateLimit: "keys",
  async handle(edges, { requester }) {
    return { device_id: await removeDevice(edges, requester.userId) };
  },
});

type OneDevice = { params: { deviceId: string } };

/** As later texts of the proposal have it. */
export const getDehydratedEvents = endpoint<
  OneDevice & { query: { from?: string; next_batch?: string } }
>({
  method: "get",
  path: EVENTS,
  auth: "user",
  rateLimit: "keys",
  query: {
    type: "object",
    properties: { from: { type: "string" }, next_batch: { type: "string" } },
  },
  async handle(edges, { requester, params, query }) {
    const { deviceId } = params;
    const from = query.from ?? query.next_batch;
    const body = await readDehydratedEvents(edges, requester, deviceId, from);
    return reply({ body });
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
export const postDehydratedEvents = endpoint<
  OneDevice & { body: { next_batch?: string } }
>({
  method: "post",
  path: EVENTS,
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  body: { type: "object", properties: { next_batch: { type: "string" } } },
  async handle(edges, { requester, params, body }) {
    const { deviceId } = params;
    const from = body.next_batch;
    const text = await readDehydratedEvents(edges, requester, deviceId, from);
    return reply({ body: text });
  },
});
