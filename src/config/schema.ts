import { DEFAULT_ROOM_VERSION, roomVersions } from "../core/room-version.ts";
import { auditSchema } from "./audit-schema.ts";
import { alertsSchema } from "./alerts-schema.ts";
import { adminSchema } from "./admin-schema.ts";
import { approvalsSchema } from "./approvals-schema.ts";
import { egressSchema } from "./egress-schema.ts";
import { emailSchema } from "./email-schema.ts";
import { listenersSchema } from "./listeners-schema.ts";
import { mediaSchema } from "./media-schema.ts";
import { retentionSchema } from "./retention-schema.ts";
import { privacySchema } from "./privacy-schema.ts";
import { serverNoticesSchema } from "./server-notices-schema.ts";
import { turnSchema } from "./turn-schema.ts";
import { urlPreviewsSchema } from "./url-previews-schema.ts";
import { wellKnownSchema } from "./well-known-schema.ts";
import { rateLimitsSchema } from "./rate-limits-schema.ts";
import type { FromSchema, Section } from "./schema-types.ts";

/** Every setting there is: its meaning, type, limits and default. */
export const configSchema = {
  type: "object",
  description:
    "Myelin's settings. Every one may be left out. Every one may also be set by the environment variable named beside it, which wins over this file.",
  properties: {
    server_name: {
      type: "string",
      format: "server-name",
      default: "localhost",
      description:
        "The name after the colon of every user id and room alias. It cannot be changed once the server has started: choose it well.",
    },
    public_base_url: {
      type: "string",
      format: "base-url",
      example: "https://matrix.example.org",
      description:
        "The address that clients use, as they see it. If unset, https:// and the server name, or the listening address on this machine.",
    },
    listen: {
      type: "object",
      description: "Where the server listens.",
      properties: {
        host: {
          type: "string",
          minLength: 1,
          default: "127.0.0.1",
          description:
            "The address to listen on. Any address that others can reach needs tls or behind_proxy.",
        },
        port: {
          type: "integer",
          minimum: 0,
          maximum: 65535,
          default: 8008,
          description: "The port to listen on; 0 takes any free one.",
        },
      },
    },
    listeners: listenersSchema,
    tls: {
      type: "object",
      description:
        "HTTPS without a proxy. The files are read again when they change.",
      dependentRequired: {
        certificate: ["private_key"],
        private_key: ["certificate"],
      },
      properties: {
        certificate: {
          type: "string",
          minLength: 1,
          example: "/etc/myelin/fullchain.pem",
          description: "The PEM file of the certificate and its chain.",
        },
        private_key: {
          type: "string",
          minLength: 1,
          example: "/etc/myelin/privkey.pem",
          description: "The PEM file of the certificate's key.",
        },
      },
    },
    behind_proxy: {
      type: "boolean",
      default: false,
      description:
        "A proxy in front of this server speaks TLS. Clients' addresses are then taken from X-Forwarded-For, if the proxy is a trusted one.",
    },
    trusted_proxies: {
      type: "array",
      items: { type: "string", format: "network" },
      example: ["10.0.0.0/8"],
      description:
        "The networks whose X-Forwarded-For is believed, with behind_proxy. If unset, this machine's own.",
    },
    database: {
      type: "object",
      description: "The database: PostgreSQL 15 or newer.",
      dependentRequired: { owner_url: ["url"] },
      properties: {
        url: {
          type: "string",
          format: "postgres-url",
          secret: true,
          example: "postgres://myelin:password@db.example.org/myelin",
          description:
            "Your own PostgreSQL. If unset, a private one runs in the data folder.",
        },
        owner_url: {
          type: "string",
          format: "postgres-url",
          secret: true,
          example: "postgres://myelin_owner:password@db.example.org/myelin",
          description:
            "The same database for the role that owns the tables. It brings them up to date and lets the role in url use them, which then can change no table and nothing of the audit log. If unset, the role in url does both.",
        },
        pool_size: {
          type: "integer",
          minimum: 2,
          maximum: 500,
          default: 10,
          description: "Connections that each process keeps.",
        },
      },
    },
    server: {
      type: "object",
      description: "The server's processes.",
      properties: {
        processes: {
          type: "integer",
          orWord: "auto",
          minimum: 1,
          maximum: 256,
          default: "auto",
          description: "How many processes serve; auto is one for each core.",
        },
      },
    },
    registration: {
      type: "object",
      description: "How people get an account.",
      properties: {
        mode: {
          type: "string",
          enum: ["closed", "open", "token"],
          default: "closed",
          description:
            "Closed: administrators make accounts. Open: anybody may. Token: whoever has a registration token may.",
        },
        shared_secret: {
          type: "string",
          secret: true,
          minLength: 16,
          example: "change me",
          description:
            "Whoever knows this secret may make accounts, also administrators', at /_synapse/admin/v1/register.",
        },
      },
    },
    password: {
      type: "object",
      description: "Rules for passwords.",
      properties: {
        minimum_length: {
          type: "integer",
          minimum: 1,
          maximum: 128,
          default: 8,
          description: "The fewest characters that a new password may have.",
        },
      },
    },
    login_tokens: {
      type: "object",
      description:
        "Tokens by which somebody who is logged in logs in another device.",
      properties: {
        enabled: {
          type: "boolean",
          default: false,
          description:
            "Whether they are given out, to whoever proves the password again. A token is good once and for two minutes.",
        },
      },
    },
    cross_signing: {
      type: "object",
      description: "The keys by which people prove that a device is theirs.",
      properties: {
        reset_url: {
          type: "string",
          format: "web-url",
          example: "https://accounts.example.org/reset-encryption",
          description:
            "A page where people who have no password here have the replacement of these keys approved, which clients open for them (m.oauth). What serves it lets them by the admin API: POST /_synapse/admin/v1/users/{user}/_allow_cross_signing_replacement_without_uia.",
        },
      },
    },
    rendezvous: {
      type: "object",
      description: "Where two devices meet to sign in one of them by QR code.",
      properties: {
        enabled: {
          type: "boolean",
          default: true,
          description:
            "Whether devices may leave each other short messages here, for five minutes and without being logged in.",
        },
      },
    },
    default_room_version: {
      type: "string",
      enum: roomVersions,
      default: DEFAULT_ROOM_VERSION,
      description: "The version of new rooms, in quotes.",
    },
    sealing: {
      type: "string",
      enum: ["on", "off"],
      default: "on",
      description:
        "Whether content is encrypted in the database under keys that can be destroyed.",
    },
    presence: {
      type: "object",
      description: "Who is online.",
      properties: {
        enabled: {
          type: "boolean",
          default: true,
          description: "Whether presence is told to others.",
        },
      },
    },
    user_directory: {
      type: "object",
      description: "Whom people find when they search for others.",
      properties: {
        search_all_users: {
          type: "boolean",
          default: true,
          description:
            "Whether everyone on this server can be found, as colleagues expect it. If false, only who shares a room with the searcher or is in a public room.",
        },
      },
    },
    access_token_in_query: {
      type: "boolean",
      default: true,
      description:
        "Whether access tokens are accepted as ?access_token=, as old clients send them.",
    },
    audit: auditSchema,
    alerts: alertsSchema,
    admin: adminSchema,
    approvals: approvalsSchema,
    retention: retentionSchema,
    privacy: privacySchema,
    server_notices: serverNoticesSchema,
    media: mediaSchema,
    egress: egressSchema,
    email: emailSchema,
    url_previews: urlPreviewsSchema,
    turn: turnSchema,
    rate_limits: rateLimitsSchema,
    limits: {
      type: "object",
      description: "What a request and a client may take.",
      properties: {
        header_seconds: {
          type: "integer",
          minimum: 1,
          maximum: 300,
          default: 10,
          description: "How long a request's headers may take to arrive.",
        },
        body_idle_seconds: {
          type: "integer",
          minimum: 1,
          maximum: 300,
          default: 30,
          description: "How long a body may pause while it arrives.",
        },
        connections: {
          type: "integer",
          orWord: "auto",
          minimum: 1,
          maximum: 1_000_000,
          default: "auto",
          description:
            "Connections that each process holds at once; auto is what its limit of open files allows, and 100,000 at the most.",
        },
        connections_per_address: {
          type: "integer",
          minimum: 1,
          maximum: 1_000_000,
          default: 4_000,
          description:
            "How many of them one address may have, such as the one that a whole office comes from. This machine and trusted proxies may have them all.",
        },
      },
    },
    log: {
      type: "object",
      description: "The log, on standard error.",
      properties: {
        level: {
          type: "string",
          enum: ["trace", "debug", "info", "warn", "error", "silent"],
          default: "info",
          description: "The least important line that is written.",
        },
        format: {
          type: "string",
          enum: ["json", "text"],
          default: "json",
          description: "One JSON object a line, or short text for people.",
        },
      },
    },
    metrics: {
      type: "object",
      description: "Figures for Prometheus, on a listener of their own.",
      properties: {
        enabled: {
          type: "boolean",
          default: false,
          description: "Whether /metrics is served.",
        },
        host: {
          type: "string",
          minLength: 1,
          default: "127.0.0.1",
          description: "The address to serve it on.",
        },
        port: {
          type: "integer",
          minimum: 0,
          maximum: 65535,
          default: 9008,
          description: "The port to serve it on; 0 takes any free one.",
        },
      },
    },
    well_known: wellKnownSchema,
    support: {
      type: "object",
      description: "Whom people can ask: /.well-known/matrix/support.",
      properties: {
        page: {
          type: "string",
          format: "web-url",
          example: "https://example.org/help",
          description: "A page that helps.",
        },
        admin_email: {
          type: "string",
          minLength: 3,
          example: "matrix@example.org",
          description: "The administrators' mail address.",
        },
        admin_matrix_id: {
          type: "string",
          minLength: 3,
          example: "@admin:example.org",
          description: "An administrator's user id.",
        },
        security_email: {
          type: "string",
          minLength: 3,
          example: "security@example.org",
          description: "Where to report a security fault.",
        },
      },
    },
  },
} as const satisfies Section;

/** The checked, frozen settings. */
export type Config = FromSchema<typeof configSchema>;
