import type { Settings } from "../../edges.ts";

/** Whether a user id is of this server. The server name begins after the first colon. */
export const isLocalUser = (
  { serverName }: Pick<Settings, "serverName">,
  userId: string,
): boolean => userId.slice(userId.indexOf(":") + 1) === serverName;
