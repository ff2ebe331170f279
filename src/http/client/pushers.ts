import { isWithinBytes } from "../../core/event-size.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  listOwnPushers,
  removePusher,
  setPusher,
  type PusherDetails,
} from "../../domain/push/pushers.ts";
import { endpoint } from "../endpoint.ts";

/** "The max length": of an app id 64 characters, of a pushkey 512 bytes. */
const MAX_APP_ID = 64;
const MAX_PUSHKEY_BYTES = 512;
const MAX_NAME = 1024;
const MAX_BODY_BYTES = 16 * 1024;

const ENABLED = "org.matrix.msc3881.enabled";

interface PusherBody extends Partial<PusherDetails> {
  kind: string | null;
  app_id: string;
  pushkey: string;
  append?: boolean;
  enabled?: boolean;
  [ENABLED]?: boolean;
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
export const getPushers = endpoint({
  method: "get",
  path: "/_matrix/client/v3/pushers",
  auth: "user",
  async handle(edges, { requester }) {
    return { pushers: await listOwnPushers(edges, requester.userId) };
  },
});

const text = { type: "string", maxLength: MAX_NAME };

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
export const postPusher = endpoint<{ body: PusherBody }>({
  method: "post",
  path: "/_matrix/client/v3/pushers/set",
  auth: "user",
  ownerOnly: true,
  rateLimit: "other",
  maxBodyBytes: MAX_BODY_BYTES,
  body: {
    type: "object",
    required: ["kind", "app_id", "pushkey"],
    properties: {
      kind: { type: ["string", "null"] },
      app_id: { type: "string" },
      pushkey: { type: "string" },
      app_display_name: text,
      device_display_name: text,
      profile_tag: text,
      lang: text,
      data: { type: "object" },
      append: { type: "boolean" },
      enabled: { type: "boolean" },
      [ENABLED]: { type: "boolean" },
    },
  },
  async handle(edges, { requester, body }) {
    const { kind, app_id: appId, pushkey } = body;
    assertKey(appId, pushkey);
    if (kind === null) {
      await removePusher(edges, requester.userId, { appId, pushkey });
      return {};
    }
    if (kind !== "http" && kind !== "email") {
      throw new MatrixError("M_INVALID_PARAM", "A pusher is of http or email.");
    }
    await setPusher(edges, requester, {
      kind,
      details: detailsOf(body),
      isEnabled: body[ENABLED] ?? body.enabled ?? true,
      isAppended: body.append ?? false,
    });
    return {};
  },
});

function assertKey(appId: string, pushkey: string): void {
  if ([...appId].length > MAX_APP_ID) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `The app_id has at most ${MAX_APP_ID} characters.`,
    );
  }
  if (!isWithinBytes(pushkey, MAX_PUSHKEY_BYTES)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `The pushkey has at most ${MAX_PUSHKEY_BYTES} bytes.`,
    );
  }
}

/** "Required if kind is not null": what is missing is named. */
function detailsOf(body: PusherBody): PusherDetails {
  const { app_id, pushkey, profile_tag } = body;
  const required = <Name extends keyof PusherBody>(name: Name) => {
    const value = body[name];
    if (value !== undefined) return value;
    throw new MatrixError("M_MISSING_PARAM", `"${name}" is missing.`);
  };
  return {
    app_id,
    pushkey,
    app_display_name: required("app_display_name"),
    device_display_name: required("device_display_name"),
    ...(profile_tag !== undefined && { profile_tag }),
    lang: required("lang"),
    data: required("data") satisfies JsonObject,
  };
}
