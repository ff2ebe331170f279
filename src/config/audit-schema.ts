import type { Section } from "./schema-types.ts";

export const auditSchema = {
  type: "object",
  description:
    "The audit log: where its signed ends are kept, and where its records are told at once.",
  properties: {
    anchors: {
      type: "object",
      description:
        "Where each signed checkpoint is kept besides the database. What was brought to a place that the owner of the database cannot write is what proves the log.",
      properties: {
        file: {
          type: "string",
          minLength: 1,
          example: "/mnt/worm/audit-checkpoints.ndjson",
          description:
            "The file that each checkpoint is added to. If unset, audit-checkpoints.ndjson in the data folder.",
        },
        syslog: {
          type: "string",
          format: "syslog-url",
          example: "tls://logs.example.org:6514",
          description: "A syslog server (RFC 5425) that is told each one.",
        },
        s3: {
          type: "object",
          description:
            "A bucket with object lock that each one is put into, and that lets nobody delete it for a time.",
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
              example: "myelin-audit",
              description:
                "The bucket's name, which switches this on. It must be there, with object lock.",
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
            retention_days: {
              type: "integer",
              minimum: 1,
              maximum: 36_500,
              default: 3650,
              description: "How long nobody can delete a checkpoint there.",
            },
          },
        },
      },
    },
    stream: {
      type: "object",
      description: "Who is told each record soon after it was written.",
      properties: {
        syslog: {
          type: "string",
          format: "syslog-url",
          example: "tls://siem.example.org:6514",
          description:
            "A syslog server (RFC 5425) that gets each record in the Common Event Format.",
        },
        webhook: {
          type: "string",
          format: "web-url",
          example: "https://siem.example.org/myelin",
          description:
            "An address that records are posted to as JSON, some at a time. One in your own network has to stand in egress.allow.",
        },
        webhook_token: {
          type: "string",
          secret: true,
          minLength: 1,
          example: "change me",
          description: "Sent with them as a bearer token.",
        },
      },
    },
    review_days: {
      type: "integer",
      minimum: 1,
      maximum: 366,
      default: 7,
      description:
        "How old records may become before an auditor has signed that they were reviewed.",
    },
    retention_days: {
      type: "integer",
      minimum: 180,
      maximum: 36_500,
      example: 730,
      description:
        "How long records are kept, 180 days at the least. What is older is deleted once it was signed and brought outside, unless a legal hold is of its time. If unset, all are kept for ever.",
    },
    syslog_ca: {
      type: "string",
      minLength: 1,
      example: "/etc/myelin/syslog-ca.pem",
      description:
        "The PEM file of who vouches for the syslog servers' certificates. If unset, those whom Node trusts.",
    },
  },
} as const satisfies Section;
