import {
  getRegistrationNonce,
  postSignedRegistration,
} from "./admin/register.ts";
import { getWhoami } from "./client/account.ts";
import { postCreateRoom } from "./client/create-room.ts";
import {
  getKeysChanges,
  postDeviceSigning,
  postKeysClaim,
  postKeysQuery,
  postKeysUpload,
  postSignatures,
} from "./client/keys.ts";
import { getLoginFlows, postLogin } from "./client/login.ts";
import {
  postBan,
  postInvite,
  postJoin,
  postJoinByAlias,
  postKick,
  postKnock,
  postLeave,
  postUnban,
} from "./client/membership.ts";
import {
  getRegistrationTokenValidity,
  getUsernameAvailable,
  postRegister,
} from "./client/register.ts";
import { putMessage, putRedaction } from "./client/room-send.ts";
import { getAllState, getState, putState } from "./client/room-state.ts";
import { putToDevice } from "./client/send-to-device.ts";
import { getSync } from "./client/sync.ts";
import type { Endpoint } from "./endpoint.ts";

/** Every route that this server answers, in the order of the specification. */
export const endpoints: readonly Endpoint[] = [
  getLoginFlows,
  postLogin,
  postRegister,
  getUsernameAvailable,
  getRegistrationTokenValidity,
  getWhoami,
  postCreateRoom,
  postInvite,
  postJoin,
  postJoinByAlias,
  postKnock,
  postLeave,
  postKick,
  postBan,
  postUnban,
  putMessage,
  putRedaction,
  getAllState,
  getState,
  putState,
  getSync,
  postKeysUpload,
  postKeysQuery,
  postKeysClaim,
  getKeysChanges,
  postDeviceSigning,
  postSignatures,
  putToDevice,
  getRegistrationNonce,
  postSignedRegistration,
];
