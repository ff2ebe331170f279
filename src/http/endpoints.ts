import {
  deleteMyApproval,
  getApproval,
  getApprovals,
  getMyApprovals,
  postApprovalReview,
  postApprove,
  postBreakGlass,
  postDeny,
  postMyBreakGlass,
} from "./admin/approvals.ts";
import {
  getAudit,
  getAuditCheckpoints,
  getAuditExport,
  getAuditKey,
  postAuditReview,
} from "./admin/audit.ts";
import {
  deleteErasure,
  getErasure,
  getErasureCertificate,
  getOnePrivacyRequest,
  getPersonExport,
  getPrivacyRequests,
  getUserConsents,
  postErasure,
  postPrivacyRequest,
  putPrivacyRequest,
  putRectification,
} from "./admin/privacy.ts";
import {
  deleteOwnConsents,
  getConsentPage,
  getOwnConsents,
  postConsentPage,
  postOwnConsents,
} from "./client/consent.ts";
import {
  deleteOwnRequest,
  getOwnAccesses,
  getOwnExport,
  getOwnRequests,
  postOwnExport,
  postOwnRequest,
} from "./client/privacy.ts";
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
import {
  deleteGroupMember,
  deleteOneGroup,
  getGroupMembers,
  getGroups,
  postGroup,
  putGroupMember,
} from "./admin/groups.ts";
import {
  getAlerts,
  getOneAlert,
  getReviewsDue,
  postAcknowledge,
} from "./admin/alerts.ts";
import {
  getDestinations,
  getOneDestination,
  getRoomsOfDestination,
  listDestinations,
  listRoomsOfDestination,
  postResetConnection,
} from "./admin/federation.ts";
import { getServerKeys } from "./federation/keys.ts";
import { userEndpoints } from "./admin/synapse/user-endpoints.ts";
import { policyEndpoints } from "./admin/policy-endpoints.ts";
import { getMyPermissions } from "./admin/me.ts";
import { campaignEndpoints } from "./admin/campaigns.ts";
import { egressEndpoints } from "./admin/egress.ts";
import { holdEndpoints } from "./admin/holds.ts";
import { incidentEndpoints } from "./admin/incidents.ts";
import { importEndpoints } from "./admin/user-import.ts";
import { wipeEndpoints } from "./admin/wipes.ts";
import { retentionEndpoints } from "./admin/retention.ts";
import { roomEndpoints } from "./admin/room-endpoints.ts";
import { documentEndpoints } from "./admin/document/document-endpoints.ts";
import {
  deleteRoleBinding,
  getRoleBindings,
  postRoleBinding,
} from "./admin/role-bindings.ts";
import {
  deleteOneRole,
  getPermissions,
  getRoles,
  postRole,
  putRole,
} from "./admin/roles.ts";
import {
  deleteAdminToken,
  getAdminTokens,
  postAdminToken,
} from "./admin/tokens.ts";
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
import { getNotifications } from "./client/notifications.ts";
import { getPushers, postPusher } from "./client/pushers.ts";
import { getOpenidUserinfo, postOpenidToken } from "./client/openid.ts";
import { getUrlPreview } from "./client/preview-url.ts";
import { getTurnServer } from "./client/voip.ts";
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
import {
  deleteDehydratedDevice,
  getDehydratedDevice,
  getDehydratedEvents,
  postDehydratedEvents,
  putDehydratedDevice,
} from "./client/dehydrated-device.ts";
import {
  deleteBackupVersion,
  getBackupVersion,
  getNewestBackup,
  postBackupVersion,
  putBackupVersion,
} from "./client/key-backup.ts";
import {
  deleteAllKeys,
  deleteRoomKeys,
  deleteSessionKey,
  getAllKeys,
  getRoomKeys,
  getSessionKey,
  putAllKeys,
  putRoomKeys,
  putSessionKey,
} from "./client/room-keys.ts";
import {
  getDelayedEvents,
  getOneDelayedEvent,
  postDelayedEvent,
  postDelayedEventAction,
} from "./client/delayed-events.ts";
import { getLoginFlows, postLogin } from "./client/login.ts";
import { postLoginToken } from "./client/login-token.ts";
import {
  deleteRendezvous,
  getRendezvous,
  getRendezvousAvailable,
  postRendezvous,
  putRendezvous,
} from "./client/rendezvous.ts";
import {
  deleteTextRendezvous,
  getTextRendezvous,
  postTextRendezvous,
  putTextRendezvous,
} from "./client/rendezvous-msc4108.ts";
import {
  getLegacyMediaConfig,
  getMediaConfig,
  postCreateMedia,
  postUpload,
  putUpload,
} from "./client/content-repository.ts";
import {
  getDownload,
  getLegacyDownload,
  getLegacyThumbnail,
  getThumbnailOf,
} from "./client/media.ts";
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
import { getEventByTimestamp } from "./client/event-by-timestamp.ts";
import { getMutualRooms } from "./client/mutual-rooms.ts";
import {
  postEventReport,
  postRoomReport,
  postUserReport,
} from "./client/report-content.ts";
import { getSummary, getUnstableSummary } from "./client/room-summary.ts";
import { postSearch } from "./client/search.ts";
import { getHierarchy } from "./client/space-hierarchy.ts";
import { postUserSearch } from "./client/user-directory.ts";
import { putToDevice } from "./client/send-to-device.ts";
import { postSlidingSync } from "./client/sliding-sync.ts";
import { getSync } from "./client/sync.ts";
import { deleteTag, getTags, putTag } from "./client/tags.ts";
import { getUnsubscribe, postUnsubscribe } from "./client/unsubscribe.ts";
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
  postLoginToken,
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
  getEventByTimestamp,
  getHierarchy,
  getSummary,
  getUnstableSummary,
  getMutualRooms,
  postSearch,
  postUserSearch,
  postRoomReport,
  postEventReport,
  postUserReport,
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
  postBackupVersion,
  getNewestBackup,
  getBackupVersion,
  putBackupVersion,
  deleteBackupVersion,
  putSessionKey,
  getSessionKey,
  deleteSessionKey,
  putRoomKeys,
  getRoomKeys,
  deleteRoomKeys,
  putAllKeys,
  getAllKeys,
  deleteAllKeys,
  putDehydratedDevice,
  getDehydratedDevice,
  deleteDehydratedDevice,
  getDehydratedEvents,
  postDehydratedEvents,
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
  postPusher,
  getNotifications,
  getUnsubscribe,
  postUnsubscribe,
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
  postTextRendezvous,
  getTextRendezvous,
  putTextRendezvous,
  deleteTextRendezvous,
  getRendezvousAvailable,
  postRendezvous,
  getRendezvous,
  putRendezvous,
  deleteRendezvous,
  postUpload,
  putUpload,
  postCreateMedia,
  getMediaConfig,
  getLegacyMediaConfig,
  getDownload,
  getThumbnailOf,
  getLegacyDownload,
  getLegacyThumbnail,
  getCapabilities,
  getVersions,
  getUrlPreview,
  getTurnServer,
  postOpenidToken,
  getOpenidUserinfo,
  getWellKnownClient,
  getWellKnownSupport,
  getWellKnownServer,
  getThirdPartyIdentifiers,
  getThirdPartyProtocols,
  getMyPermissions,
  getApprovals,
  getApproval,
  postApprove,
  postDeny,
  postBreakGlass,
  postApprovalReview,
  getMyApprovals,
  deleteMyApproval,
  postMyBreakGlass,
  getPermissions,
  getRoles,
  postRole,
  putRole,
  deleteOneRole,
  getRoleBindings,
  postRoleBinding,
  deleteRoleBinding,
  getGroups,
  postGroup,
  deleteOneGroup,
  getGroupMembers,
  putGroupMember,
  deleteGroupMember,
  ...policyEndpoints,
  getAdminTokens,
  postAdminToken,
  deleteAdminToken,
  getAudit,
  getAuditExport,
  getAuditKey,
  getAuditCheckpoints,
  postAuditReview,
  getReviewsDue,
  getAlerts,
  getOneAlert,
  postAcknowledge,
  getDestinations,
  listDestinations,
  getOneDestination,
  getRoomsOfDestination,
  listRoomsOfDestination,
  postResetConnection,
  getServerKeys,
  getConsentPage,
  postConsentPage,
  getOwnConsents,
  postOwnConsents,
  deleteOwnConsents,
  getUserConsents,
  getOwnExport,
  postOwnExport,
  getOwnRequests,
  postOwnRequest,
  deleteOwnRequest,
  getOwnAccesses,
  getErasure,
  postErasure,
  deleteErasure,
  getErasureCertificate,
  getPersonExport,
  putRectification,
  getPrivacyRequests,
  postPrivacyRequest,
  getOnePrivacyRequest,
  putPrivacyRequest,
  ...userEndpoints,
  ...roomEndpoints,
  ...holdEndpoints,
  ...importEndpoints,
  ...wipeEndpoints,
  ...campaignEndpoints,
  ...incidentEndpoints,
  ...egressEndpoints,
  ...retentionEndpoints,
  ...documentEndpoints(() => endpoints),
];
