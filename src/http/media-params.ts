import { MatrixError } from "../core/errors.ts";
import { isMediaId } from "../core/mxc.ts";
import { isServerName } from "../core/server-name.ts";
import type { ParamParser } from "./endpoint.ts";

const parser =
  (isFit: (text: string) => boolean, what: string): ParamParser<string> =>
  (segment) => {
    if (isFit(segment)) return segment;
    throw new MatrixError("M_INVALID_PARAM", `The path must name ${what}.`);
  };

/** The parts of an mxc URI in a path: nothing else ever gets near the store. */
export const mediaParams = {
  serverName: parser(isServerName, "a server"),
  mediaId: parser(isMediaId, "a media id"),
};
