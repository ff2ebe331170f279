import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import {
  isWithin,
  parseIp,
  parseNetwork,
  type IpAddress,
  type IpNetwork,
} from "../util/ip-address.ts";
import { deniedNetworks } from "./denied-networks.ts";
import { listEmbedded } from "./embedded-addresses.ts";

/**
 * Whom this server calls. Entries are addresses, networks, host names, `*.name`
 * for what is below a name, or `*`.
 */
export interface GuardLists {
  /** Called whatever else is denied. */
  allow: readonly string[];
  /** Denied besides what is not the public internet. */
  deny: readonly string[];
}

export interface Guard {
  /**
   * `trusted` hosts are called wherever they are, `refused` ones are not called;
   * for `unknown` ones it depends on each of their addresses. An address of the
   * URL is a host like a name.
   */
  checkHost(host: string): "trusted" | "refused" | "unknown";
  isAllowed(address: string): boolean;
}

export function createGuard(lists: GuardLists): Guard {
  const allow = readEntries(lists.allow);
  const deny = readEntries([...deniedNetworks, ...lists.deny]);
  const isOpen = (ip: IpAddress) =>
    includes(allow.networks, ip) || !includes(deny.networks, ip);
  return {
    checkHost(host) {
      const ip = parseIp(host);
      if (ip) {
        if (![ip, ...listEmbedded(ip)].every(isOpen)) return "refused";
        if (includes(allow.networks, ip)) return "trusted";
        return deny.isAll ? "refused" : "unknown";
      }
      // Another spelling of an address would be connected to unseen.
      if (isIP(host) !== 0) return "refused";
      if (allow.hasName(host)) return "trusted";
      return deny.hasName(host) ? "refused" : "unknown";
    },
    isAllowed(address) {
      const ip = parseIp(address);
      return ip !== undefined && [ip, ...listEmbedded(ip)].every(isOpen);
    },
  };
}

const includes = (networks: readonly IpNetwork[], ip: IpAddress): boolean =>
  networks.some((network) => isWithin(ip, network));

function readEntries(entries: readonly string[]) {
  const networks: IpNetwork[] = [];
  const names = new Set<string>();
  const parents: string[] = [];
  for (const entry of entries) {
    const network = parseNetwork(entry);
    if (network) networks.push(network);
    else if (entry.startsWith("*.")) parents.push(`.${nameOf(entry.slice(2))}`);
    else names.add(entry === "*" ? entry : nameOf(entry));
  }
  const isAll = names.has("*");
  return {
    networks,
    isAll,
    hasName(host: string): boolean {
      const name = nameOf(host);
      return (
        isAll ||
        names.has(name) ||
        parents.some((parent) => name.endsWith(parent))
      );
    },
  };
}

/** One spelling for each name: ASCII, lower case, without the dot of the root. */
const nameOf = (host: string): string => domainToASCII(host).replace(/\.$/, "");
