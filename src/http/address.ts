import { BlockList, isIP } from "node:net";

/**
 * Finds the client's address: the peer's, or, where the peer is a trusted
 * proxy, the last entry of X-Forwarded-For that no trusted proxy added.
 * @param trustedProxies addresses and CIDR ranges
 */
export function createAddressOf(
  trustedProxies: readonly string[],
): (peer: string, forwardedFor: string | undefined) => string {
  const isTrusted = createIsWithin(trustedProxies);
  return (peer, forwardedFor) => {
    let address = plainAddress(peer);
    if (forwardedFor === undefined) return address;
    for (const hop of forwardedFor.split(",").reverse()) {
      const next = plainAddress(hop.trim());
      if (!isTrusted(address) || isIP(next) === 0) return address;
      address = next;
    }
    return address;
  };
}

/**
 * Tells whether an address is of these networks.
 * @param ranges addresses and CIDR ranges
 */
export function createIsWithin(
  ranges: readonly string[],
): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = familyOf(address);
    if (family === undefined) throw new TypeError(`No address: ${range}`);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== undefined && list.check(address, family);
  };
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? "ipv4" : "ipv6";
}

/** An IPv4 address that an IPv6 socket shows as `::ffff:…` is an IPv4 address. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  return mapped !== undefined && isIP(mapped) === 4 ? mapped : address;
}
