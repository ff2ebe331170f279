import type { KeyObject } from "node:crypto";
import type { JsonObject } from "./core/json.ts";
import type { Egress } from "./remote/egress.ts";
import type { Mailer } from "./remote/mailer.ts";
import type { Sql } from "./storage/database.ts";
import type { Committer } from "./storage/write.ts";
import type { Keyring } from "./storage/keyring.ts";
import type { NidSource } from "./storage/nids.ts";
import type { Notifier } from "./storage/notifier.ts";
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
  /** How long what administrators had erased can be taken back. */
  undoWindowMs: number;
  /** Absent without a TURN server. */
  turn?: { uris: readonly string[]; sharedSecret: string; ttlSeconds: number };
}

/** The outside world that use-cases may touch; each names what it needs by `Pick`. */
export interface Edges {
  /** For reads, and for writes of tables that are not in the stream. */
  db: Sql;
  /** Everything durable that a client can be told of enters through here. */
  committer: Committer;
  nids: NidSource;
  keyring: Keyring;
  notifier: Notifier;
  serverKey: ServerKey;
  passwordHasher: PasswordHasher;
  /** The bytes of uploaded files and of their thumbnails. */
  mediaStore: BlobStore;
  thumbnailer: Thumbnailer;
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
