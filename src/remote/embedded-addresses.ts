import {
  isWithin,
  parseNetwork,
  type IpAddress,
  type IpNetwork,
} from "../util/ip-address.ts";

const network = (text: string): IpNetwork => {
  const parsed = parseNetwork(text);
  if (!parsed) throw new TypeError(`No network: ${text}`);
  return parsed;
};

const low = (value: bigint): bigint => value & 0xffff_ffffn;

/** How each transition mechanism writes IPv4 addresses into IPv6 ones. */
const MECHANISMS: readonly {
  network: IpNetwork;
  unpack(value: bigint): readonly bigint[];
}[] = [
  // IPv4-compatible, -mapped, -translated, and NAT64 under the well-known prefix.
  ...["::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"].map(
    (text) => ({
      network: network(text),
      unpack: (value: bigint) => [low(value)],
    }),
  ),
  // NAT64 under the local prefix: RFC 6052 with a prefix of 48 or of 96 bits.
  {
    network: network("64:ff9b:1::/48"),
    unpack: (value) => [
      low(value),
      (((value >> 64n) & 0xffffn) << 16n) | ((value >> 40n) & 0xffffn),
    ],
  },
  // 6to4.
  { network: network("2002::/16"), unpack: (value) => [low(value >> 80n)] },
  // Teredo: its server, and the client's address with all bits turned over.
  {
    network: network("2001::/32"),
    unpack: (value) => [low(value >> 64n), low(~value)],
  },
];

/** ISATAP writes them behind this identifier, under any prefix; bit 57 may be set. */
const ISATAP = 0x0000_5efen;
const ISATAP_MASK = 0xfdff_ffffn;

/** The IPv4 addresses that a gateway or tunnel on the way would unpack. */
export function listEmbedded({ version, value }: IpAddress): IpAddress[] {
  if (version === 4) return [];
  const packed = MECHANISMS.filter((mechanism) =>
    isWithin({ version, value }, mechanism.network),
  ).flatMap(({ unpack }) => unpack(value));
  if ((low(value >> 32n) & ISATAP_MASK) === ISATAP) packed.push(low(value));
  return packed.map((ipv4) => ({ version: 4, value: ipv4 }));
}
