import { isJsonObject, type JsonObject } from "./json.ts";
import { parseMxc } from "./mxc.ts";

/**
 * The media of this server that the content of an event or of account data names, where
 * the specification has it name any. What is encrypted names none that we could read.
 */
export function listCitedMedia(
  content: JsonObject,
  serverName: string,
): string[] {
  const { url, avatar_url: avatar, file, info, images, pack } = content;
  const candidates = [url, avatar];
  if (isJsonObject(file)) candidates.push(file["url"]);
  if (isJsonObject(info)) {
    const { thumbnail_url: thumbnail, thumbnail_file: sealed } = info;
    candidates.push(thumbnail);
    if (isJsonObject(sealed)) candidates.push(sealed["url"]);
  }
  // Packs of emoji and stickers, https://github.com/matrix-org/matrix-spec-proposals/pull/2545
  if (isJsonObject(images))
    for (const image of Object.values(images))
      if (isJsonObject(image)) candidates.push(image["url"]);
  if (isJsonObject(pack)) candidates.push(pack["avatar_url"]);
  const cited = new Set<string>();
  for (const candidate of candidates) {
    const mxc = parseMxc(candidate);
    if (mxc?.serverName === serverName) cited.add(mxc.mediaId);
  }
  return [...cited];
}
