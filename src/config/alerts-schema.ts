import type { Section } from "./schema-types.ts";

const minutes = {
  type: "integer",
  minimum: 1,
  maximum: 1440,
  default: 10,
  description: "Within how many minutes.",
} as const;

export const alertsSchema = {
  type: "object",
  description:
    "What is reported as remarkable: found in the audit log some seconds later, read at /_myelin/admin/v1/alerts, and told to whoever audit.stream tells.",
  properties: {
    enabled: {
      type: "boolean",
      default: true,
      description: "Whether anything is looked for.",
    },
    password_spray: {
      type: "object",
      description: "One network tries passwords of many accounts.",
      properties: {
        accounts: {
          type: "integer",
          minimum: 2,
          maximum: 10_000,
          default: 10,
          description: "Of how many accounts, in vain.",
        },
        minutes,
      },
    },
    privileged_reads: {
      type: "object",
      description: "An administrator reads much of what others wrote or did.",
      properties: {
        reads: {
          type: "integer",
          minimum: 2,
          maximum: 1_000_000,
          default: 100,
          description: "How often.",
        },
        minutes,
      },
    },
    mass_download: {
      type: "object",
      description: "Somebody fetches many files.",
      properties: {
        files: {
          type: "integer",
          minimum: 2,
          maximum: 1_000_000,
          default: 500,
          description: "How many of them.",
        },
        megabytes: {
          type: "integer",
          minimum: 1,
          maximum: 1_000_000_000,
          default: 5_000,
          description: "Or how much, in megabytes.",
        },
        minutes,
      },
    },
    new_places: {
      type: "string",
      enum: ["off", "administrators", "everyone"],
      default: "administrators",
      description:
        "Of whom a login is reported from a country, a network or with a client that was not theirs before.",
    },
    country_header: {
      type: "string",
      minLength: 1,
      example: "CF-IPCountry",
      description:
        "The header by which your proxy tells from which country a request comes, as two letters. Believed with behind_proxy alone: the proxy has to set it, whatever a client sends.",
    },
    off_hours: {
      type: "object",
      description: "Administrators act when nobody works.",
      properties: {
        enabled: {
          type: "boolean",
          default: false,
          description: "Whether that is reported.",
        },
        work_begins: {
          type: "integer",
          minimum: 0,
          maximum: 23,
          default: 7,
          description: "The hour at which work begins.",
        },
        work_ends: {
          type: "integer",
          minimum: 1,
          maximum: 24,
          default: 20,
          description: "The hour at which work has ended.",
        },
        weekend: {
          type: "boolean",
          default: true,
          description: "Whether Saturdays and Sundays are off.",
        },
        time_zone: {
          type: "string",
          format: "time-zone",
          default: "UTC",
          description: "Where these hours are.",
        },
      },
    },
    lock_accounts: {
      type: "array",
      items: { type: "string", format: "detector" },
      default: [],
      example: ["mass_download"],
      description:
        "Which alerts lock the account that they are about at once: password_spray, privileged_reads, mass_download, new_place, off_hours, new_administrator, broken_glass. Who grants roles is never locked.",
    },
  },
} as const satisfies Section;
