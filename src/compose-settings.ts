import type { Config } from "./config/schema.ts";
import type { Settings } from "./edges.ts";

/** The values of the configuration that use-cases read. */
export function composeSettings(
  config: Config,
  pepper: Buffer,
  publicBaseUrl: string | undefined,
): Settings {
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
    userDirectoryShowsAll: config.userDirectory.searchAllUsers,
    rateLimitsEnabled: enabled,
    rateLimits,
    support: composeSupport(config.support),
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
