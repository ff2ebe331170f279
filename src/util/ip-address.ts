/** An address as the number that it is. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** The addresses that share so many leading bits. */
export interface IpNetwork {
  readonly version: 4 | 6;
  /** The bits that they share. */
  readonly prefix: bigint;
  /** How many bits are left to each. */
  readonly rest: bigint;
}

/** Reads the canonical spellings alone: no zones, no octal, no short forms. */
export function parseIp(text: string): IpAddress | undefined {
  const version = text.includes(":") ? 6 : 4;
  const value = version === 6 ? parseIpv6(text) : parseIpv4(text);
  return value === undefined ? undefined : { version, value };
}

/** Reads an address, or one with the length of its prefix behind a slash. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [address = "", length, ...more] = text.split("/");
  const ip = parseIp(address);
  if (!ip || more.length > 0) return undefined;
  const width = ip.version === 4 ? 32 : 128;
  const bits = length === undefined ? width : Number(length);
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  if (bits > width) return undefined;
  const rest = BigInt(width - bits);
  return { version: ip.version, prefix: ip.value >> rest, rest };
}

export const isWithin = (
  { version, value }: IpAddress,
  network: IpNetwork,
): boolean =>
  version === network.version && value >> network.rest === network.prefix;

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const isByte = (part: string) =>
    /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  if (!parts.every(isByte)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const [head = "", tail, ...more] = text.split("::");
  const left = groupsOf(head, tail === undefined);
  const right = groupsOf(tail ?? "", true);
  if (!left || !right || more.length > 0) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const zeros = Array<bigint>(missing).fill(0n);
  return [...left, ...zeros, ...right].reduce(
    (value, group) => (value << 16n) | group,
    0n,
  );
}

/** The 16-bit groups of one side of `::`; the last two may be an IPv4 address. */
function groupsOf(text: string, isLast: boolean): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: bigint[] = [];
  for (const [index, part] of parts.entries()) {
    const isIpv4 = isLast && index === parts.length - 1 && part.includes(".");
    const ipv4 = isIpv4 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
