import type { Config } from "./config/schema.ts";
import type { OutsideParty } from "./edges.ts";

/** Whom the settings have this server, or its clients, speak to. */
export function composeOutside(config: Config): OutsideParty[] {
  const { audit, email, media, turn, wellKnown } = config;
  const parties: (OutsideParty | undefined)[] = [
    party("mail_server", email.host, [
      ...["mail_address", "display_name", "room_name"],
      ...(email.showMessages ? ["message"] : []),
    ]),
    media.store === "s3"
      ? party("media_store", s3Host(media.s3), ["sealed_file"])
      : undefined,
    party("file_scanner", hostOf(media.scanUrl), ["file"]),
    party("audit_anchor", hostOf(audit.anchors.syslog), ["checkpoint"]),
    audit.anchors.s3.bucket === undefined
      ? undefined
      : party("audit_anchor", s3Host(audit.anchors.s3), ["checkpoint"]),
    ...[audit.stream.syslog, audit.stream.webhook].map((url) =>
      party("audit_stream", hostOf(url), [
        ...["user_id", "device", "address", "client", "act"],
      ]),
    ),
    ...[...new Set(turn.uris.map(turnHost))].map((host) =>
      party("turn_server", host, ["address", "call_traffic"]),
    ),
    party("identity_server", hostOf(wellKnown.identityServer), [
      ...["mail_address", "telephone_number"],
    ]),
    config.urlPreviews.enabled
      ? { kind: "previewed_pages", host: null, dataClasses: ["page_address"] }
      : undefined,
  ];
  return parties.flatMap((each) => each ?? []);
}

const party = (
  kind: OutsideParty["kind"],
  host: string | undefined,
  dataClasses: readonly string[],
): OutsideParty | undefined =>
  host === undefined ? undefined : { kind, host, dataClasses };

const hostOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : new URL(url).host;

const s3Host = ({
  endpoint,
  region,
}: Pick<Config["media"]["s3"], "endpoint" | "region">): string =>
  hostOf(endpoint) ?? `s3.${region}.amazonaws.com`;

/** `turns:turn.example.org:5349?transport=tcp` */
const turnHost = (uri: string): string =>
  uri.replace(/^[a-z]+:/, "").replace(/\?.*$/, "");
