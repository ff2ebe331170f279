const strings = {
  type: "array",
  maxItems: 1000,
  items: { type: "string", maxLength: 255 },
};
const optionalStrings = { ...strings, type: ["array", "null"] };

const optionalBoolean = { type: ["boolean", "null"] };

const roomTypes = {
  type: ["array", "null"],
  maxItems: 100,
  items: { type: ["string", "null"], maxLength: 255 },
};

const config = {
  timeline_limit: { type: "integer" },
  required_state: {
    type: "array",
    maxItems: 200,
    items: {
      type: "array",
      minItems: 2,
      maxItems: 2,
      items: { type: "string", maxLength: 255 },
    },
  },
};

const list = {
  type: "object",
  properties: {
    ...config,
    ranges: {
      type: ["array", "null"],
      maxItems: 100,
      items: {
        type: "array",
        minItems: 2,
        maxItems: 2,
        items: { type: "integer", minimum: 0 },
      },
    },
    filters: {
      type: ["object", "null"],
      properties: {
        is_dm: optionalBoolean,
        is_encrypted: optionalBoolean,
        is_invite: optionalBoolean,
        spaces: optionalStrings,
        room_types: roomTypes,
        not_room_types: roomTypes,
        tags: optionalStrings,
        not_tags: optionalStrings,
      },
    },
  },
};

const scope = {
  type: "object",
  properties: {
    enabled: optionalBoolean,
    lists: optionalStrings,
    rooms: optionalStrings,
  },
};

/** The body of a request of sliding sync, MSC4186 on its unstable path. */
export const slidingSyncSchema = {
  type: "object",
  properties: {
    conn_id: { type: "string", maxLength: 255 },
    lists: {
      type: "object",
      maxProperties: 100,
      additionalProperties: list,
    },
    room_subscriptions: {
      type: "object",
      maxProperties: 1000,
      additionalProperties: { type: "object", properties: config },
    },
    extensions: {
      type: "object",
      properties: {
        to_device: {
          type: "object",
          properties: {
            enabled: optionalBoolean,
            since: { type: ["string", "null"], maxLength: 255 },
            limit: { type: ["integer", "null"] },
          },
        },
        e2ee: { type: "object", properties: { enabled: optionalBoolean } },
        account_data: scope,
        receipts: scope,
        typing: scope,
        "io.element.msc4308.thread_subscriptions": {
          type: "object",
          properties: {
            enabled: optionalBoolean,
            limit: { type: ["integer", "null"] },
          },
        },
      },
    },
  },
};
