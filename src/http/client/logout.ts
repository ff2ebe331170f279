import {
  logOut,
  logOutEverywhere,
} from "../../domain/accounts/close-session.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout */
export const postLogout = endpoint({
  method: "post",
  path: "/_matrix/client/v3/logout",
  auth: "user",
  audit: "auth.logout",
  guest: true,
  suspended: true,
  locked: true,
  async handle(edges, { requester }) {
    await logOut(edges, requester);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logoutall */
export const postLogoutAll = endpoint({
  method: "post",
  path: "/_matrix/client/v3/logout/all",
  auth: "user",
  audit: "auth.logout_all",
  ownerOnly: true,
  guest: true,
  suspended: true,
  locked: true,
  async handle(edges, { requester }) {
    await logOutEverywhere(edges, requester.userId);
    return {};
  },
});
