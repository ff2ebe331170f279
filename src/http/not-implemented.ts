/** Operations that are not served, and why. A line leaves when its endpoint comes. */
export interface NotImplemented {
  reason: string;
  operations: readonly string[];
}

export const notImplemented: readonly NotImplemented[] = [
  {
    reason:
      "Third-party identifiers need mail or an identity server, which come later.",
    operations: [
      "POST /_matrix/client/v3/account/3pid",
      "POST /_matrix/client/v3/account/3pid/add",
      "POST /_matrix/client/v3/account/3pid/bind",
      "POST /_matrix/client/v3/account/3pid/delete",
      "POST /_matrix/client/v3/account/3pid/unbind",
      "POST /_matrix/client/v3/account/3pid/email/requestToken",
      "POST /_matrix/client/v3/account/3pid/msisdn/requestToken",
      "POST /_matrix/client/v3/account/password/email/requestToken",
      "POST /_matrix/client/v3/account/password/msisdn/requestToken",
      "POST /_matrix/client/v3/register/email/requestToken",
      "POST /_matrix/client/v3/register/msisdn/requestToken",
    ],
  },
  {
    reason: "Application services come with their own issue.",
    operations: [
      "POST /_matrix/client/v1/appservice/{appserviceId}/ping",
      "PUT /_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}",
      "GET /_matrix/client/v3/thirdparty/protocol/{protocol}",
      "GET /_matrix/client/v3/thirdparty/location/{protocol}",
      "GET /_matrix/client/v3/thirdparty/user/{protocol}",
      "GET /_matrix/client/v3/thirdparty/location",
      "GET /_matrix/client/v3/thirdparty/user",
    ],
  },
  {
    reason: "Single sign-on and OAuth come with the identity issue.",
    operations: [
      "GET /_matrix/client/v1/auth_metadata",
      "GET /_matrix/client/v3/login/sso/redirect",
      "GET /_matrix/client/v3/login/sso/redirect/{idpId}",
    ],
  },
  {
    reason: "Superseded by sync; deprecated in the specification.",
    operations: [
      "GET /_matrix/client/v3/events",
      "GET /_matrix/client/v3/initialSync",
      "GET /_matrix/client/v3/events/{eventId}",
      "GET /_matrix/client/v3/rooms/{roomId}/initialSync",
    ],
  },
  {
    reason:
      "Federation comes with its own issue; until then nothing listens for it.",
    operations: [
      "GET /.well-known/matrix/policy_server",
      "GET /_matrix/federation/v1/backfill/{roomId}",
      "POST /_matrix/federation/v1/get_missing_events/{roomId}",
      "GET /_matrix/federation/v1/media/download/{mediaId}",
      "GET /_matrix/federation/v1/media/thumbnail/{mediaId}",
      "GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}",
      "GET /_matrix/federation/v1/state/{roomId}",
      "GET /_matrix/federation/v1/state_ids/{roomId}",
      "GET /_matrix/federation/v1/event/{eventId}",
      "GET /_matrix/federation/v1/timestamp_to_event/{roomId}",
      "PUT /_matrix/federation/v1/invite/{roomId}/{eventId}",
      "PUT /_matrix/federation/v2/invite/{roomId}/{eventId}",
      "GET /_matrix/federation/v1/make_join/{roomId}/{userId}",
      "PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}",
      "GET /_matrix/key/v2/query/{serverName}",
      "POST /_matrix/key/v2/query",
      "GET /_matrix/federation/v1/make_knock/{roomId}/{userId}",
      "PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}",
      "GET /_matrix/federation/v1/make_leave/{roomId}/{userId}",
      "PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}",
      "GET /_matrix/federation/v1/publicRooms",
      "POST /_matrix/federation/v1/publicRooms",
      "GET /_matrix/federation/v1/query/{queryType}",
      "GET /_matrix/federation/v1/query/directory",
      "GET /_matrix/federation/v1/query/profile",
      "POST /_matrix/policy/v1/sign",
      "GET /_matrix/federation/v1/hierarchy/{roomId}",
      "PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}",
      "PUT /_matrix/federation/v1/3pid/onbind",
      "PUT /_matrix/federation/v1/send/{txnId}",
      "GET /_matrix/federation/v1/user/devices/{userId}",
      "POST /_matrix/federation/v1/user/keys/claim",
      "POST /_matrix/federation/v1/user/keys/query",
      "GET /_matrix/federation/v1/version",
    ],
  },
  {
    reason: "The homeserver calls this and does not serve it.",
    operations: [
      "POST /_matrix/app/v1/ping",
      "GET /_matrix/app/v1/thirdparty/protocol/{protocol}",
      "GET /_matrix/app/v1/thirdparty/user/{protocol}",
      "GET /_matrix/app/v1/thirdparty/location/{protocol}",
      "GET /_matrix/app/v1/thirdparty/location",
      "GET /_matrix/app/v1/thirdparty/user",
      "GET /_matrix/app/v1/rooms/{roomAlias}",
      "GET /_matrix/app/v1/users/{userId}",
      "PUT /_matrix/app/v1/transactions/{txnId}",
      "POST /_matrix/push/v1/notify",
    ],
  },
];
