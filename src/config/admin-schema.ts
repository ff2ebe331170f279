import type { Section } from "./schema-types.ts";

export const adminSchema = {
  type: "object",
  description: "What administrators do.",
  properties: {
    undo_window_hours: {
      type: "integer",
      minimum: 0,
      maximum: 8760,
      default: 24,
      description:
        "How long what an administrator had erased can be taken back before it is gone; tools err.",
    },
  },
} as const satisfies Section;
