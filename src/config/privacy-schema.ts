import type { Section } from "./schema-types.ts";

export const privacySchema = {
  type: "object",
  description: "What people are told, and asked, of their data.",
  properties: {
    notify_reads: {
      type: "string",
      enum: ["off", "at_once"],
      default: "off",
      description:
        "Whether users get a server notice when an administrator has read what they wrote or did. Their own log tells it in any case.",
    },
  },
} as const satisfies Section;
