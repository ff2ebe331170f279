import {
  createNonce,
  registerBySharedSecret,
} from "../../domain/accounts/shared-secret.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { sessionAnswer } from "../session.ts";

const PATH = "/_synapse/admin/v1/register";

/** https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export const getRegistrationNonce = endpoint({
  method: "get",
  path: PATH,
  auth: "none",
  rateLimit: "other",
  async handle(edges) {
    return { nonce: await createNonce(edges) };
  },
});

interface Body {
  nonce: string;
  username: string;
  password: string;
  admin?: boolean;
  user_type?: string | null;
  displayname?: string;
  mac: string;
}

/** https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export const postSignedRegistration = endpoint<{ body: Body }>({
  method: "post",
  path: PATH,
  auth: "none",
  audit: "users.create",
  body: {
    type: "object",
    properties: {
      nonce: { type: "string" },
      username: { type: "string" },
      password: { type: "string" },
      admin: { type: "boolean" },
      user_type: { type: ["string", "null"] },
      displayname: { type: "string" },
      mac: { type: "string" },
    },
    required: ["nonce", "username", "password", "mac"],
  },
  async handle(edges, { body, request }) {
    const { admin, user_type, displayname, ...form } = body;
    const opened = await registerBySharedSecret(
      edges,
      {
        ...form,
        isAdmin: admin === true,
        ...(typeof user_type === "string" && { userType: user_type }),
        ...(displayname !== undefined && { displayName: displayname }),
      },
      { address: limitKeyOf(request.ip), requestId: request.id },
    );
    const home_server = edges.settings.serverName;
    return { ...sessionAnswer(opened), home_server };
  },
});
