import { isServerName } from "./server-name.ts";

const MEDIA_ID = /^[A-Za-z0-9_-]{1,255}$/;

export const isMediaId = (text: string): boolean => MEDIA_ID.test(text);

export const mxcOf = (serverName: string, mediaId: string): string =>
  `mxc://${serverName}/${mediaId}`;

/** The parts of an mxc URI; undefined where it is none. */
export function parseMxc(
  text: unknown,
): { serverName: string; mediaId: string } | undefined {
  if (typeof text !== "string" || !text.startsWith("mxc://")) return undefined;
  const [serverName = "", mediaId = "", ...rest] = text.slice(6).split("/");
  const isWhole =
    rest.length === 0 && isServerName(serverName) && isMediaId(mediaId);
  return isWhole ? { serverName, mediaId } : undefined;
}
