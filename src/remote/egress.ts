/** Whom a call is for, which decides how careful it is; see purposes.ts. */
export type EgressPurpose = "preview" | "push" | "scan" | "audit";

export interface EgressRequest {
  /** http or https, as the purpose allows, without credentials. */
  url: string;
  purpose: EgressPurpose;
  /** GET unless said. */
  method?: "GET" | "POST" | "PUT" | "DELETE";
  headers?: Readonly<Record<string, string>>;
  /** What comes in pieces needs its `content-length`, and follows no redirect. */
  body?: string | Buffer | AsyncIterable<Uint8Array>;
  /** For all of it: the name, the connection, redirects and the body. The purpose's unless said. */
  timeoutMs?: number;
  /** Of the body, uncompressed. The purpose's unless said. */
  maxBytes?: number;
  /** How many redirects are followed, each checked like the first address; none unless said. */
  followRedirects?: number;
  /** Asked of each address on the way, besides the settings; whoever is denied is `refused`. */
  mayCall?(url: URL): boolean;
  signal?: AbortSignal;
}

interface Answered {
  /** A redirect that is not followed is an answer too. */
  status: number;
  /** Lower-case names; of what came several times, the values with commas between. */
  headers: ReadonlyMap<string, string>;
  /** Where the answer came from, after redirects. */
  url: string;
}

export interface EgressAnswer extends Answered {
  body: Buffer;
}

export interface EgressStream extends Answered {
  /** Throws `EgressError` as it is read. It ends at the time limit, read or not. */
  body: AsyncIterable<Buffer>;
  /** For who has read enough. */
  close(): void;
}

/** What became of a file that a scanner has seen. */
export type ScanVerdict = "clean" | "refused";

export interface ScanRequest {
  /** `icap://host:port/service`, of a host that the settings trust. */
  url: string;
  /** An address of the file, for what the scanner notes. */
  resource: string;
  contentType: string;
  /** Of the body, in bytes: no more and no less is sent. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

/**
 * The one client for calls to other machines. It calls no address that the
 * settings deny, whatever a name, a redirect or an odd spelling makes of it.
 * All it throws is `EgressError`.
 */
export interface Egress {
  /** Throws where no call would be begun; names are not resolved for it. */
  check(wanted: Pick<EgressRequest, "url" | "purpose">): void;
  request(wanted: EgressRequest): Promise<EgressAnswer>;
  /** The body as it comes. */
  open(wanted: EgressRequest): Promise<EgressStream>;
  /** Has an ICAP service look at a file (RESPMOD). */
  scan(wanted: ScanRequest): Promise<ScanVerdict>;
}
