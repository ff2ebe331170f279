import { badPorts } from "./bad-ports.ts";
import type { EgressRequest } from "./egress.ts";
import { EgressError } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import type { IcapTarget } from "./icap-messages.ts";
import { purposes } from "./purposes.ts";

const MAX_URL_LENGTH = 8192;

/**
 * Reads an address as a browser does, which leaves one spelling of each host, and
 * checks all that is known of it before a name is resolved.
 */
export function readTarget(
  guard: Guard,
  { purpose, mayCall }: Pick<EgressRequest, "purpose" | "mayCall">,
  text: string,
  base?: URL,
): URL {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text, base?.href))
    throw refused();
  const url = new URL(text, base);
  const isPlain = url.protocol === "http:";
  if (!isPlain && url.protocol !== "https:") throw refused();
  if (url.username !== "" || url.password !== "") throw refused();
  if (url.port !== "" && badPorts.has(Number(url.port))) throw refused();
  const verdict = guard.checkHost(hostOf(url));
  const isPlainAllowed = purposes[purpose].plainHttp === "always";
  if (verdict === "refused") throw refused();
  if (isPlain && !isPlainAllowed && verdict !== "trusted") throw refused();
  if (mayCall && !mayCall(url)) throw refused();
  url.hash = "";
  return url;
}

const ICAP_PORT = 1344;

/** Reads the address of an ICAP service, which is called without TLS: the settings must trust it. */
export function readIcapTarget(guard: Guard, text: string): IcapTarget {
  if (!text.startsWith("icap://") || !URL.canParse(text)) throw refused();
  // Only of addresses of the web a host has one spelling.
  const url = readTarget(guard, { purpose: "scan" }, `http${text.slice(4)}`);
  const port = Number(new URL(text).port || ICAP_PORT);
  return {
    host: hostOf(url),
    port,
    uri: `icap://${url.hostname}:${port}${url.pathname}${url.search}`,
  };
}

/** The name or address without the brackets of IPv6. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

const refused = () => new EgressError("refused");
