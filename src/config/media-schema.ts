import type { Section } from "./schema-types.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MOST_BYTES = 1024 * 1024 * GIB;

export const mediaSchema = {
  type: "object",
  description: "Files that people send: where they stand, and their limits.",
  properties: {
    store: {
      type: "string",
      enum: ["folder", "s3"],
      default: "folder",
      description:
        "Where files stand: in a folder that all processes share, or in an S3 bucket.",
    },
    folder: {
      type: "string",
      minLength: 1,
      example: "/srv/myelin/media",
      description:
        "The folder of the files. If unset, media in the data folder. Processes on several machines must see the same one.",
    },
    s3: {
      type: "object",
      description: "The bucket, where store is s3.",
      dependentRequired: {
        access_key_id: ["secret_access_key"],
        secret_access_key: ["access_key_id"],
      },
      properties: {
        endpoint: {
          type: "string",
          format: "web-url",
          example: "https://s3.example.org",
          description:
            "The store's address. If unset, Amazon's for the region.",
        },
        region: {
          type: "string",
          minLength: 1,
          default: "us-east-1",
          description: "The region that requests are signed for.",
        },
        bucket: {
          type: "string",
          minLength: 3,
          example: "myelin-media",
          description: "The bucket's name. It must be there.",
        },
        prefix: {
          type: "string",
          default: "",
          description: "What stands before the name of each object.",
        },
        path_style: {
          type: "boolean",
          default: true,
          description:
            "Whether the bucket stands in the path rather than in the host name, as most stores but Amazon's want it.",
        },
        access_key_id: {
          type: "string",
          minLength: 1,
          example: "myelin",
          description:
            "Who signs. If unset, what the environment holds for Amazon's tools.",
        },
        secret_access_key: {
          type: "string",
          secret: true,
          minLength: 1,
          example: "change me",
          description: "The secret to sign with.",
        },
      },
    },
    max_upload_bytes: {
      type: "integer",
      minimum: 1,
      maximum: MOST_BYTES,
      default: 100 * MIB,
      description: "How large a file may be. Clients are told.",
    },
    user_quota_bytes: {
      type: "integer",
      minimum: 0,
      maximum: MOST_BYTES,
      default: 20 * GIB,
      description: "How much one user may have in all; 0 is any amount.",
    },
    server_quota_bytes: {
      type: "integer",
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description:
        "How much all users together may have, about; 0 is any amount.",
    },
    legacy_downloads: {
      type: "string",
      enum: ["frozen", "on", "off"],
      default: "frozen",
      description:
        "Downloads without authentication, for clients of before 2024. On: what is uploaded meanwhile may be had so. Frozen: only what was uploaded while it was on. Off: nothing.",
    },
    max_pending_uploads: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 5,
      description:
        "How many ids a user may hold that nothing was uploaded to yet.",
    },
    pending_upload_hours: {
      type: "integer",
      minimum: 1,
      maximum: 720,
      default: 24,
      description: "How long such an id waits for its content.",
    },
    max_image_pixels: {
      type: "integer",
      minimum: 1_000_000,
      maximum: 1_000_000_000,
      default: 32_000_000,
      description:
        "Of larger images no thumbnails are made; the frames of animated ones count together.",
    },
    scan_url: {
      type: "string",
      format: "scan-url",
      example: "icap://scanner.example.org:1344/avscan",
      description:
        "Where each file is sent before it is first delivered. An ICAP service (icap://, RESPMOD) lets it pass by leaving it as it is. Another scanner (https://, POST) answers 200 to let it pass, and 406 to refuse it for good. Files of encrypted rooms cannot be read by it. A scanner in your own network, and each that is called by ICAP, must also stand in egress.allow.",
    },
  },
} as const satisfies Section;
