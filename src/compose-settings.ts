import { composeOutside } from "./compose-outside.ts";
import type { Config } from "./config/schema.ts";
import { ConfigError } from "./config/fault.ts";
import { readJson } from "./core/json-reader.ts";
import type { JsonObject } from "./core/json.ts";
import { findUnknown } from "./domain/admin/approvals/required.ts";
import { PERMISSIONS } from "./domain/admin/permissions.ts";
import { parsePolicyDocument } from "./core/policy-document.ts";
import type { Settings } from "./edges.ts";

/** The values of the configuration that use-cases read. */
export function composeSettings(
  config: Config,
  pepper: Buffer,
  publicBaseUrl: string | undefined,
): Settings {
  assertPermissionsKnown(config);
  const { enabled, ...rateLimits } = config.rateLimits;
  const { mode, sharedSecret } = config.registration;
  return {
    serverName: config.serverName,
    ...(publicBaseUrl !== undefined && { publicBaseUrl }),
    defaultRoomVersion: config.defaultRoomVersion,
    registration: {
      mode,
      ...(sharedSecret && { sharedSecret: sharedSecret.reveal() }),
    },
    password: { minimumLength: config.password.minimumLength, pepper },
    presenceEnabled: config.presence.enabled,
    loginTokensEnabled: config.loginTokens.enabled,
    ...(config.crossSigning.resetUrl !== undefined && {
      crossSigningResetUrl: config.crossSigning.resetUrl,
    }),
    rendezvousEnabled: config.rendezvous.enabled,
    ...(config.email.host !== undefined && {
      mail: {
        delayMs: config.email.delaySeconds * 1000,
        showsMessages: config.email.showMessages,
      },
    }),
    userDirectoryShowsAll: config.userDirectory.searchAllUsers,
    rateLimitsEnabled: enabled,
    rateLimits,
    media: composeMedia(config.media),
    support: composeSupport(config.support),
    wellKnown: composeWellKnown(config.wellKnown),
    urlPreviews: config.urlPreviews,
    ...composeAlerts(config),
    auditReviewMs: config.audit.reviewDays * DAY_MS,
    ...(config.audit.retentionDays !== undefined && {
      auditRetentionMs: config.audit.retentionDays * DAY_MS,
    }),
    undoWindowMs: config.admin.undoWindowHours * HOUR_MS,
    requiresCase: config.admin.requireCase,
    approvals: composeApprovals(config.approvals),
    keyBackupMs: config.retention.keyBackupDays * 24 * HOUR_MS,
    consent: {
      policies: config.privacy.policies.flatMap(
        (text) => parsePolicyDocument(text) ?? [],
      ),
      isRequired: config.privacy.requireConsent,
    },
    privacyLaw: config.privacy.law,
    notifiesReads: config.privacy.notifyReads === "at_once",
    serverNotices: composeServerNotices(config.serverNotices),
    outside: composeOutside(config),
    ...composeTurn(config.turn),
  };
}

function composeTurn(turn: Config["turn"]): Pick<Settings, "turn"> {
  const { uris, sharedSecret, ttlSeconds } = turn;
  if (uris.length === 0 || !sharedSecret) return {};
  return { turn: { uris, ttlSeconds, sharedSecret: sharedSecret.reveal() } };
}

function composeWellKnown({
  identityServer,
  server,
  extra,
}: Config["wellKnown"]): Settings["wellKnown"] {
  return {
    extra: readJson(extra) as JsonObject,
    ...(server !== undefined && { server }),
    ...(identityServer !== undefined && {
      identityServer: identityServer.replace(/\/$/, ""),
    }),
  };
}

function composeServerNotices(
  notices: Config["serverNotices"],
): Settings["serverNotices"] {
  const { localpart, displayName, avatarUrl, roomName, roomTopic } = notices;
  return {
    ...{ localpart, displayName, roomName },
    ...(avatarUrl !== undefined && { avatarUrl }),
    ...(roomTopic !== undefined && { roomTopic }),
  };
}

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MEGABYTE = 1_000_000;

function composeAlerts({
  alerts,
  behindProxy,
}: Config): Pick<Settings, "alerts"> {
  const { passwordSpray, privilegedReads, massDownload, offHours } = alerts;
  const { newPlaces, countryHeader, lockAccounts } = alerts;
  if (!alerts.enabled) return {};
  return {
    alerts: {
      spray: {
        accounts: passwordSpray.accounts,
        spanMs: passwordSpray.minutes * MINUTE_MS,
      },
      reads: {
        count: privilegedReads.reads,
        spanMs: privilegedReads.minutes * MINUTE_MS,
      },
      downloads: {
        files: massDownload.files,
        bytes: massDownload.megabytes * MEGABYTE,
        spanMs: massDownload.minutes * MINUTE_MS,
      },
      newPlaces,
      // Without a proxy of ours anybody may send it.
      ...(countryHeader !== undefined &&
        behindProxy && { countryHeader: countryHeader.toLowerCase() }),
      ...(offHours.enabled && {
        offHours: {
          begin: offHours.workBegins,
          end: offHours.workEnds,
          isWeekendOff: offHours.weekend,
          timeZone: offHours.timeZone,
        },
      }),
      locks: lockAccounts,
    },
  };
}

/** @throws ConfigError for a permission that there is not. */
export function assertPermissionsKnown({
  approvals: { required },
}: Pick<Config, "approvals">): void {
  const unknown = findUnknown(required, Object.keys(PERMISSIONS));
  if (unknown === undefined) return;
  throw new ConfigError([
    {
      path: "approvals.required",
      problem: `no permission is called ${JSON.stringify(unknown)}: expected one, an area such as "roles.*", or a class, "D" or "P".`,
    },
  ]);
}

function composeApprovals(
  approvals: Config["approvals"],
): Settings["approvals"] {
  const { required, whenAlone } = approvals;
  const { expireHours, useHours, breakGlassMinutes } = approvals;
  return {
    ...{ required, whenAlone },
    expireMs: expireHours * HOUR_MS,
    useMs: useHours * HOUR_MS,
    breakGlassMs: breakGlassMinutes * MINUTE_MS,
  };
}

function composeMedia(media: Config["media"]): Settings["media"] {
  const { scanUrl } = media;
  return {
    maxUploadBytes: media.maxUploadBytes,
    userQuota: media.userQuotaBytes || null,
    serverQuota: media.serverQuotaBytes || null,
    legacyDownloads: media.legacyDownloads,
    maxPending: media.maxPendingUploads,
    pendingMs: media.pendingUploadHours * HOUR_MS,
    maxImagePixels: media.maxImagePixels,
    ...(scanUrl !== undefined && { scanUrl }),
  };
}

function composeSupport(support: Config["support"]): Settings["support"] {
  const { page, adminEmail, adminMatrixId, securityEmail } = support;
  const admin = adminEmail !== undefined || adminMatrixId !== undefined;
  return {
    contacts: [
      ...(admin
        ? [
            {
              role: "m.role.admin",
              ...(adminMatrixId !== undefined && { matrixId: adminMatrixId }),
              ...(adminEmail !== undefined && { emailAddress: adminEmail }),
            },
          ]
        : []),
      ...(securityEmail !== undefined
        ? [{ role: "m.role.security", emailAddress: securityEmail }]
        : []),
    ],
    ...(page !== undefined && { page }),
  };
}

/** The address that clients use, without a slash at its end; a name that is not of this machine has its own. */
export function publicBaseUrlOf(config: Config, url: string): string {
  const { publicBaseUrl, serverName } = config;
  if (publicBaseUrl !== undefined) return publicBaseUrl.replace(/\/$/, "");
  return serverName === "localhost" ? url : `https://${serverName}`;
}
