import type { Edges, OutsideParty } from "../../edges.ts";
import {
  countEgress,
  listGatewayPushers,
  type EgressCounts,
} from "../../storage/egress.ts";
import { isIdOnly } from "../push/notification.ts";
import { openPushers, type PusherDetails } from "../push/pushers.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

/** Somebody outside of this server who gets data of persons. */
export interface EgressParty {
  kind: OutsideParty["kind"] | "push_gateway";
  host: string | null;
  dataClasses: readonly string[];
  /** Of what, and how many; null where nobody counts. */
  count: number | null;
  of: string | null;
}

const PUSHERS_AT_ONCE = 500;
const MOST_PUSHERS = 50_000;
const MOST_COUNTED = 1_000_000;

/** Every outside party that gets data, and of which classes they are. */
export async function readEgress(
  edges: Reads,
): Promise<{ parties: EgressParty[]; isCut: boolean }> {
  const counts = await countEgress(edges.db, MOST_COUNTED);
  const { gateways, isCut } = await readGateways(edges);
  const parties = edges.settings.outside.map((party) => ({
    ...party,
    ...countOf(party.kind, counts),
  }));
  return { parties: [...gateways, ...parties], isCut };
}

function countOf(
  kind: OutsideParty["kind"],
  counts: EgressCounts,
): Pick<EgressParty, "count" | "of"> {
  switch (kind) {
    case "mail_server":
      return { count: counts.mailPushers, of: "addresses" };
    case "media_store":
      return { count: counts.mediaBytes, of: "bytes" };
    case "audit_stream":
      return { count: counts.records, of: "records" };
    case "previewed_pages":
      return { count: counts.pages, of: "pages" };
    case "audit_anchor":
    case "file_scanner":
    case "turn_server":
    case "identity_server":
      return { count: null, of: null };
  }
}

interface Gateway {
  pushers: number;
  /** Some of them are told more than that there is something. */
  isTold: boolean;
}

/** Where a gateway is stands in what clients said of their pushers, which is sealed. */
async function readGateways(
  edges: Reads,
): Promise<{ gateways: EgressParty[]; isCut: boolean }> {
  const found = new Map<string, Gateway>();
  let after = 0;
  let read = 0;
  let isMore = true;
  while (isMore && read < MOST_PUSHERS) {
    const rows = await listGatewayPushers(edges.db, after, PUSHERS_AT_ONCE);
    for (const details of await openPushers(edges, rows)) add(found, details);
    after = rows.at(-1)?.pusherId ?? after;
    read += rows.length;
    isMore = rows.length === PUSHERS_AT_ONCE;
  }
  const gateways = [...found].map(([host, { pushers, isTold }]) => ({
    ...{ kind: "push_gateway" as const, host, count: pushers, of: "pushers" },
    dataClasses: [
      ...["device_token", "event_id", "room_id", "unread_count"],
      ...(isTold ? ["user_id", "display_name", "room_name", "message"] : []),
    ],
  }));
  return {
    gateways: gateways.sort((a, b) => b.count - a.count),
    isCut: isMore,
  };
}

function add(
  gateways: Map<string, Gateway>,
  details: PusherDetails | undefined,
): void {
  if (!details) return;
  const { url } = details.data;
  const host =
    typeof url === "string" && URL.canParse(url) ? new URL(url).host : "";
  const gateway = gateways.get(host) ?? { pushers: 0, isTold: false };
  gateways.set(host, {
    pushers: gateway.pushers + 1,
    isTold: gateway.isTold || !isIdOnly(details),
  });
}
