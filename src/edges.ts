import type { KeyObject } from "node:crypto";
import type { PrivacyLaw } from "./core/privacy-law.ts";
import type { JsonObject } from "./core/json.ts";
import type { PolicyDocument } from "./core/policy-document.ts";
import type { Egress } from "./remote/egress.ts";
import type { Mailer } from "./remote/mailer.ts";
import type { ActivePolicies } from "./storage/active-policies.ts";
import type { AuditDraft } from "./storage/audit-draft.ts";
import type { AuditKeys } from "./storage/audit-key-source.ts";
import type { Sql } from "./storage/database.ts";
import type { RecordingCommitter, WriteRows } from "./storage/write.ts";
import type { Keyring } from "./storage/keyring.ts";
import type { NidSource } from "./storage/nids.ts";
import type { Notifier } from "./storage/notifier.ts";
import type { AuditSink } from "./util/audit-sinks.ts";
import type { BlobStore } from "./util/blob-store.ts";
import type { ProcessMemory } from "./util/process-memory.ts";
import type { HtmlReader } from "./workers/html-reader.ts";
import type { PasswordHasher } from "./workers/password-hasher.ts";
import type { Thumbnailer } from "./workers/thumbnailer.ts";

export type { PageFacts } from "./workers/html-messages.ts";

/** Structured logging without secrets (pino's shape). */
export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Randomness from the operating system; a spec may pass a fixed one. */
export interface Random {
  bytes(count: number): Buffer;
  /** URL-safe text of `bytes` random bytes, 32 (256 bit) unless said. */
  token(bytes?: number): string;
  /** `count` random letters of the alphabet a–z, A–Z. */
  letters(count: number): string;
}

/** The server's own signing key: it signs templates that we built, nothing else. */
export interface ServerKey {
  keyId: string;
  privateKey: KeyObject;
}

export interface MediaSettings {
  maxUploadBytes: number;
  /** Null for any amount. */
  userQuota: number | null;
  serverQuota: number | null;
  legacyDownloads: "frozen" | "on" | "off";
  maxPending: number;
  pendingMs: number;
  maxImagePixels: number;
  /** What is asked about each file before its first delivery. */
  scanUrl?: string;
}

/** Where the ends of the audit log are kept, and who is told its records. */
export interface AuditOutside {
  anchors: readonly AuditSink[];
  streams: readonly { sink: AuditSink; format: "cef" | "json" }[];
}

export interface AlertSettings {
  /** How many accounts one network tries in vain, within how long. */
  spray: { accounts: number; spanMs: number };
  /** How much an administrator reads of what others wrote. */
  reads: { count: number; spanMs: number };
  downloads: { files: number; bytes: number; spanMs: number };
  newPlaces: "off" | "administrators" | "everyone";
  /** By which a proxy tells of each request from which country it comes. */
  countryHeader?: string;
  /** Absent where administrators may act at any hour. */
  offHours?: {
    begin: number;
    end: number;
    isWeekendOff: boolean;
    timeZone: string;
  };
  /** Detectors whose alerts lock the account that they are about. */
  locks: readonly string[];
}

/** Somebody else's machine that data go to because the settings say so. */
export interface OutsideParty {
  kind:
    | "mail_server"
    | "media_store"
    | "file_scanner"
    | "audit_anchor"
    | "audit_stream"
    | "turn_server"
    | "identity_server"
    | "previewed_pages";
  /** Null where it is whoever people name. */
  host: string | null;
  /** What of persons it gets. */
  dataClasses: readonly string[];
}

/** Values of the configuration that use-cases read. */
export interface Settings {
  serverName: string;
  /** Where clients reach this server, without a trailing slash; absent if not told. */
  publicBaseUrl?: string;
  defaultRoomVersion: string;
  registration: { mode: "closed" | "open" | "token"; sharedSecret?: string };
  password: { minimumLength: number; pepper: Buffer };
  presenceEnabled: boolean;
  /** Whether a session gets tokens by which another device logs in. */
  loginTokensEnabled: boolean;
  /** Where people without a password have the replacement of their keys approved. */
  crossSigningResetUrl?: string;
  /** Whether devices may meet here to sign in by QR code. */
  rendezvousEnabled: boolean;
  /** Absent where no mails are sent. */
  mail?: { delayMs: number; showsMessages: boolean };
  /** Whether the user directory finds everyone, also who shares no room with whom asks. */
  userDirectoryShowsAll: boolean;
  rateLimitsEnabled: boolean;
  rateLimits: Readonly<Record<string, { perSecond: number; burst: number }>>;
  media: MediaSettings;
  support: {
    contacts: readonly {
      role: string;
      matrixId?: string;
      emailAddress?: string;
    }[];
    page?: string;
  };
  wellKnown: {
    identityServer?: string;
    /** Where other servers are told that this one is. */
    server?: string;
    /** Further members of what clients find at the server's name. */
    extra: JsonObject;
  };
  urlPreviews: {
    enabled: boolean;
    /** Patterns of addresses; see domain/previews/url-patterns.ts. */
    allow: readonly string[];
    deny: readonly string[];
    acceptLanguage: string;
  };
  /** What is reported as remarkable; absent where nothing is. */
  alerts?: AlertSettings;
  /** After how long records have to have been reviewed. */
  auditReviewMs: number;
  /** How long records are kept; absent for ever. */
  auditRetentionMs?: number;
  /** How long what administrators had erased can be taken back. */
  undoWindowMs: number;
  /** Whether who reads what others wrote must name a case and a reason. */
  requiresCase: boolean;
  approvals: {
    /** Permissions, areas and classes of them that take a second person. */
    required: readonly string[];
    whenAlone: "allow" | "refuse";
    expireMs: number;
    useMs: number;
    breakGlassMs: number;
  };
  /** How long copies of the key table are kept elsewhere. */
  keyBackupMs: number;
  /** What people agree to, and whether they have to. */
  consent: { policies: readonly PolicyDocument[]; isRequired: boolean };
  /** Whether users are told at once when an administrator has read what they wrote or did. */
  /** By what a privacy request is due. */
  privacyLaw: PrivacyLaw;
  notifiesReads: boolean;
  /** Who tells users what the server has to say, and where. */
  serverNotices: {
    localpart: string;
    displayName: string;
    avatarUrl?: string;
    roomName: string;
    roomTopic?: string;
  };
  outside: readonly OutsideParty[];
  /** Absent without a TURN server. */
  turn?: { uris: readonly string[]; sharedSecret: string; ttlSeconds: number };
}

/** What a use-case knows of the request's record. */
export type Noted = Partial<
  Pick<
    AuditDraft,
    | "resource"
    | "result"
    | "errcode"
    | "reason"
    | "caseId"
    | "approvalId"
    | "before"
    | "after"
  >
>;

/** What a request is about to do, and to whom. */
export interface Demand {
  permissions: readonly string[];
  userId?: string;
  roomId?: string;
}

/** The record of a request, on its way to the first write that commits. */
export interface Trail {
  /** As it is without the trail, for what commits for several requests. */
  readonly committer: RecordingCommitter;
  note(noted: Noted): void;
  /** Passes where nobody else need agree, or somebody has. */
  demand(demand: Demand): Promise<void>;
  /**
   * Hands the request's record and the approval that it uses for one write; where they are
   * written already, a record for each draft and nothing where there is none.
   */
  carry<T>(
    drafts: readonly AuditDraft[],
    write: (
      records: readonly AuditDraft[],
      rows: Pick<Partial<WriteRows>, "approvalUses">,
    ) => Promise<T>,
    isDone: (outcome: T) => boolean,
  ): Promise<T>;
}

/** Who asks, as far as policies go by it. */
export interface Asker {
  /** Empty for who has not said it. */
  userId: string;
  deviceId: string;
  ip?: string;
}

/** The outside world that use-cases may touch; each names what it needs by `Pick`. */
/** Which of some rooms policies do not let a user read, as they were asked for one answer. */
export interface DecidedReads {
  userId: string;
  roomNids: ReadonlySet<number>;
  withheld: ReadonlySet<number>;
}

export interface Edges {
  /** For reads, and for writes of tables that are not in the stream. */
  db: Sql;
  /** Everything durable that a client can be told of enters through here. */
  committer: RecordingCommitter;
  /** The record of the request, where it has one; `committer` writes it. */
  trail?: Trail | undefined;
  /** The device of an administrator who acts in the user's place, where one does. */
  actingDevice?: string | undefined;
  /** Whose request it is; absent for what the server does by itself. */
  asker?: Asker | undefined;
  /** Absent where nobody's request is at stake. */
  policies?: ActivePolicies;
  /** What was decided for the one answer that is being made; absent where each read asks by itself. */
  decided?: DecidedReads | undefined;
  nids: NidSource;
  keyring: Keyring;
  notifier: Notifier;
  serverKey: ServerKey;
  /** Signs checkpoints of the audit log, and what was destroyed. */
  auditKey: AuditKeys;
  passwordHasher: PasswordHasher;
  /** The bytes of uploaded files and of their thumbnails. */
  mediaStore: BlobStore;
  thumbnailer: Thumbnailer;
  /** What of the audit log goes out of the database. */
  audit: AuditOutside;
  /** The one way to other machines. */
  egress: Egress;
  /** Null where no mails are sent. */
  mailer: Mailer | null;
  htmlReader: HtmlReader;
  settings: Settings;
  /** Caches of this process; never the truth. */
  memory: ProcessMemory;
  /** Milliseconds since the epoch. */
  now(): number;
  random: Random;
  log: Log;
}
