import type { IncomingMessage } from "node:http";

/** What a host and a port may be written of; anything else is no authority. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/**
 * Whether a request is one that RFC 9112 has a server refuse, though Node's parser lets it
 * pass: whoever stands in front may read another host, or another end, in it than we do.
 */
export function isMalformed(request: IncomingMessage): boolean {
  const { rawHeaders, headers, httpVersion } = request;
  const isOld = httpVersion === "1.0";
  if (!isOld && httpVersion !== "1.1") return true;
  // "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message
  // that lacks a Host header field and to any request message that contains more than one Host
  // header field line or a Host header field with an invalid field value." (section 3.2)
  const hosts = countHosts(rawHeaders);
  if (hosts > 1 || (hosts === 0 && !isOld)) return true;
  if (headers.host !== undefined && !HOST.test(headers.host)) return true;
  // "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header
  // field MUST treat the message as if the framing is faulty" (section 6.1); and of HTTP/1.1 we
  // understand no encoding but this one, once.
  const encoding = headers["transfer-encoding"];
  if (encoding === undefined) return false;
  return isOld || encoding.trim().toLowerCase() !== "chunked";
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === "host") count += 1;
  }
  return count;
}
