import type { Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";

/** What an account cannot have more of, and where its user reads about the server. */
export const userLimitExceeded = (
  {
    serverName,
    publicBaseUrl = `https://${serverName}`,
    support,
  }: Pick<Settings, "serverName" | "publicBaseUrl" | "support">,
  message: string,
): MatrixError =>
  new MatrixError("M_USER_LIMIT_EXCEEDED", message, {
    info_uri: support.page ?? `${publicBaseUrl}/`,
  });
