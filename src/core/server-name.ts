export interface ServerAddress {
  kind: "ipv4" | "ipv6" | "dns";
  /** Without the brackets of an IPv6 literal. */
  host: string;
  port: number | undefined;
}

const FORM =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z.-]{1,255}))(?::([0-9]{1,5}))?$/;
const IPV4 = /^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/;
const HEX_GROUP = /^[0-9A-Fa-f]{1,4}$/;

/** The parts of a server name; undefined if it is none. */
export function parseServerName(name: string): ServerAddress | undefined {
  const match = FORM.exec(name);
  if (match === null) return undefined;
  const [, ipv6, other, digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (ipv6 !== undefined) {
    return isIpv6(ipv6) ? { kind: "ipv6", host: ipv6, port } : undefined;
  }
  return { kind: isIpv4(other!) ? "ipv4" : "dns", host: other!, port };
}

export const isServerName = (name: string): boolean =>
  parseServerName(name) !== undefined;

const isIpv4 = (host: string): boolean =>
  IPV4.test(host) && host.split(".").every((part) => Number(part) <= 255);

/** RFC 3513, section 2.2. */
function isIpv6(host: string): boolean {
  const halves = host.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1);
  const hasIpv4 = last !== undefined && last.includes(".");
  if (hasIpv4 && (!isIpv4(last) || host.endsWith("::"))) return false;
  const hex = hasIpv4 ? groups.slice(0, -1) : groups;
  const count = hex.length + (hasIpv4 ? 2 : 0);
  return (
    hex.every((group) => HEX_GROUP.test(group)) &&
    (halves.length === 2 ? count <= 7 : count === 8)
  );
}
