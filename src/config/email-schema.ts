import type { Section } from "./schema-types.ts";

export const emailSchema = {
  type: "object",
  description:
    "Mails about what a user has not read, through the company's mail server. Without a host none are sent.",
  dependentRequired: {
    host: ["from"],
    username: ["password"],
    password: ["username"],
  },
  properties: {
    host: {
      type: "string",
      minLength: 1,
      example: "mail.example.org",
      description: "The mail server (SMTP).",
    },
    port: {
      type: "integer",
      minimum: 1,
      maximum: 65535,
      default: 587,
      description: "Its port.",
    },
    security: {
      type: "string",
      enum: ["starttls", "tls", "none"],
      default: "starttls",
      description:
        "How the connection is kept from others: TLS once it stands, TLS from its beginning, or not at all, for a mail server on this machine.",
    },
    username: {
      type: "string",
      minLength: 1,
      example: "matrix",
      description: "The account to send with, if the mail server wants one.",
    },
    password: {
      type: "string",
      secret: true,
      minLength: 1,
      example: "change me",
      description: "The account's password.",
    },
    from: {
      type: "string",
      minLength: 3,
      example: "Matrix <matrix@example.org>",
      description: "Whom the mails are from.",
    },
    delay_seconds: {
      type: "integer",
      minimum: 0,
      maximum: 86400,
      default: 600,
      description:
        "How long something has to be unread before a mail tells of it, and the least time between two mails to one user.",
    },
    show_messages: {
      type: "boolean",
      default: false,
      description:
        "Whether mails hold what was written, where it is not encrypted, or only who wrote and where.",
    },
  },
} as const satisfies Section;
