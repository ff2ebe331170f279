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
    require_case: {
      type: "boolean",
      default: false,
      description:
        "Whether administrators who read what people wrote, or from where they came, must name a case and a reason; tools that do not know of it cannot read these then.",
    },
  },
} as const satisfies Section;
