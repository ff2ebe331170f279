import { PRIVACY_LAWS } from "../core/privacy-law.ts";
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
    law: {
      type: "string",
      enum: PRIVACY_LAWS,
      default: "none",
      description:
        "The law by which what people ask of their data is due: a month by the GDPR, 45 days by the CCPA, 30 days by the PIPL's standard, and without one.",
    },
    policies: {
      type: "array",
      items: { type: "string", format: "policy-document" },
      default: [],
      description:
        "What people agree to when they register: id, version, language, address and name of each document. Another version of one is agreed to anew.",
    },
    require_consent: {
      type: "boolean",
      default: false,
      description:
        "Whether nobody sends, joins or uploads before they have agreed to the policies as they are now.",
    },
  },
} as const satisfies Section;
