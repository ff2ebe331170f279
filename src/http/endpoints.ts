import {
  getThirdPartyIdentifiers,
  getThirdPartyProtocols,
} from "./client/third-party.ts";
import {
  getWellKnownClient,
  getWellKnownSupport,
  getWellKnownServer,
} from "./client/well-known.ts";
import { getVersions } from "./client/versions.ts";
import { getCapabilities } from "./client/capabilities.ts";
import { getPresenceStatus, putPresenceStatus } from "./client/presence.ts";
import { postFilter, getStoredFilter } from "./client/filter.ts";
import {
  deleteGlobalAccountData,
  deleteRoomAccountData,
  getGlobalAccountData,
  putGlobalAccountData,
  getRoomAccountData,
  putRoomAccountData,
} from "./client/account-data.ts";
import {
  getWholeProfile,
  getField,
  putField,
  deleteField,
} from "./client/profile.ts";
import {
  getDevices,
  getDevice,
  putDevice,
  deleteDevice,
  postDeleteDevices,
} from "./client/devices.ts";
import { postRefresh } from "./client/refresh.ts";
import { postLogout, postLogoutAll } from "./client/logout.ts";
import {
  getRegistrationNonce,
  postSignedRegistration,
} from "./admin/register.ts";
import { getWhoami, postDeactivate, postPassword } from "./client/account.ts";
import {
  deleteOnePushRule,
  getGlobalPushRules,
  getOnePushRule,
  getPushRuleActions,
  getPushRuleEnabled,
  getPushRules,
  putPushRule,
  putPushRuleActions,
  putPushRuleEnabled,
} from "./client/push-rules.ts";
import { getPushers } from "./client/pushers.ts";
import { postReadMarkers } from "./client/read-markers.ts";
import { postReceipt } from "./client/receipts.ts";
import { putTyping } from "./client/typing.ts";
import { postCreateRoom, postUpgrade } from "./client/create-room.ts";
import {
  getKeysChanges,
  postDeviceSigning,
  postKeysClaim,
  postKeysQuery,
  postKeysUpload,
  postSignatures,
} from "./client/keys.ts";
import { getBackupVersion } from "./client/key-backup.ts";
import {
  getDelayedEvents,
  getOneDelayedEvent,
  postDelayedEvent,
  postDelayedEventAction,
} from "./client/delayed-events.ts";
import { getLoginFlows, postLogin } from "./client/login.ts";
import {
  postForget,
  postInvite,
  postJoin,
  postJoinByAlias,
  postKnock,
  postLeave,
} from "./client/membership.ts";
import { postBan, postKick, postUnban } from "./client/moderation.ts";
import {
  getRegistrationTokenValidity,
  getUsernameAvailable,
  postRegister,
} from "./client/register.ts";
import { getPublicRooms, postPublicRooms } from "./client/public-rooms.ts";
import {
  deleteRoomAlias,
  getAlias,
  getPublication,
  getRoomAliases,
  putAlias,
  putPublication,
} from "./client/room-directory.ts";
import { getRelations } from "./client/relations.ts";
import { getContext, getEvent, getMessages } from "./client/room-history.ts";
import {
  getJoinedMembers,
  getJoinedRooms,
  getMembers,
} from "./client/room-members.ts";
import { putMessage, putRedaction } from "./client/room-send.ts";
import { getAllState, getState, putState } from "./client/room-state.ts";
import { putToDevice } from "./client/send-to-device.ts";
import { postSlidingSync } from "./client/sliding-sync.ts";
import { getSync } from "./client/sync.ts";
import { deleteTag, getTags, putTag } from "./client/tags.ts";
import {
  deleteSubscription,
  getSubscription,
  getThreadSubscriptions,
  putSubscription,
} from "./client/thread-subscriptions.ts";
import { getThreads } from "./client/threads-list.ts";
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
  getDelayedEvents,
  getOneDelayedEvent,
  postDelayedEvent,
  postDelayedEventAction,
  getAllState,
  getState,
  putState,
  postForget,
  postUpgrade,
  getJoinedRooms,
  getMembers,
  getJoinedMembers,
  getMessages,
  getContext,
  getEvent,
  getRelations,
  getThreads,
  getSubscription,
  putSubscription,
  deleteSubscription,
  getThreadSubscriptions,
  getAlias,
  putAlias,
  deleteRoomAlias,
  getRoomAliases,
  getPublication,
  putPublication,
  getPublicRooms,
  postPublicRooms,
  getTags,
  putTag,
  deleteTag,
  getSync,
  postSlidingSync,
  postKeysUpload,
  postKeysQuery,
  postKeysClaim,
  getKeysChanges,
  postDeviceSigning,
  postSignatures,
  putToDevice,
  getBackupVersion,
  getPushRules,
  getGlobalPushRules,
  getOnePushRule,
  putPushRule,
  deleteOnePushRule,
  getPushRuleEnabled,
  putPushRuleEnabled,
  getPushRuleActions,
  putPushRuleActions,
  getPushers,
  postReceipt,
  postReadMarkers,
  putTyping,
  getRegistrationNonce,
  postSignedRegistration,
  postLogout,
  postLogoutAll,
  postRefresh,
  getDevices,
  getDevice,
  putDevice,
  deleteDevice,
  postDeleteDevices,
  postPassword,
  postDeactivate,
  getWholeProfile,
  getField,
  putField,
  deleteField,
  getGlobalAccountData,
  putGlobalAccountData,
  deleteGlobalAccountData,
  getRoomAccountData,
  putRoomAccountData,
  deleteRoomAccountData,
  postFilter,
  getStoredFilter,
  getPresenceStatus,
  putPresenceStatus,
  getCapabilities,
  getVersions,
  getWellKnownClient,
  getWellKnownSupport,
  getWellKnownServer,
  getThirdPartyIdentifiers,
  getThirdPartyProtocols,
];
