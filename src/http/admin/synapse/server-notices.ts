import { MatrixError } from "../../../core/errors.ts";
import { isUserId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import { sendNotice } from "../../../domain/admin/users/send-notice.ts";
import { endpoint } from "../../endpoint.ts";
import { EVENT_ID, object } from "../../json-schema.ts";
import { NATIVE, V1 } from "./common.ts";

const PATH = `${V1}/send_server_notice`;

interface NoticeBody {
  user_id: string;
  content: JsonObject;
  type?: string;
  state_key?: string;
}

const noticeSchema = {
  type: "object",
  properties: {
    user_id: { type: "string", maxLength: 255 },
    content: { type: "object" },
    type: { type: "string", minLength: 1, maxLength: 255 },
    state_key: { type: "string", maxLength: 255 },
  },
  required: ["user_id", "content"],
};

function noticeOf({ user_id: userId, content, ...body }: NoticeBody) {
  if (!isUserId(userId))
    throw new MatrixError("M_INVALID_PARAM", '"user_id" is no user ID.');
  const { type = "m.room.message", state_key: stateKey } = body;
  return { userId, content, type, ...(stateKey !== undefined && { stateKey }) };
}

export const postServerNotice = endpoint<{ body: NoticeBody }>({
  method: "post",
  path: PATH,
  also: [`${NATIVE}/notices`],
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  body: noticeSchema,
  doc: {
    id: "sendNotice",
    says: "Sends a user a notice of the server.",
    answers: object({ event_id: EVENT_ID }),
  },
  async handle(edges, { body, ...by }) {
    return { event_id: await sendNotice(edges, by, noticeOf(body)) };
  },
});

export const putServerNotice = endpoint<{
  params: { txnId: string };
  body: NoticeBody;
}>({
  method: "put",
  path: `${PATH}/:txnId`,
  auth: "admin",
  permission: "notices.send",
  rateLimit: "admin",
  body: noticeSchema,
  async handle(edges, { params: { txnId }, body, ...by }) {
    const notice = { ...noticeOf(body), txnId };
    return { event_id: await sendNotice(edges, by, notice) };
  },
});
