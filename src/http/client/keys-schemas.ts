const strings = { type: "object", additionalProperties: { type: "string" } };

const signatures = { type: "object", additionalProperties: strings };

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
export const deviceKeysSchema = {
  type: "object",
  required: ["user_id", "device_id", "algorithms", "keys", "signatures"],
  properties: {
    user_id: { type: "string" },
    device_id: { type: "string" },
    algorithms: { type: "array", maxItems: 50, items: { type: "string" } },
    keys: { ...strings, maxProperties: 50 },
    signatures,
  },
};

const oneTimeKey = {
  type: ["string", "object"],
  properties: {
    key: { type: "string" },
    fallback: { type: "boolean" },
    signatures,
  },
};

export const oneTimeKeysSchema = {
  type: "object",
  maxProperties: 10_000,
  additionalProperties: oneTimeKey,
};

export const uploadSchema = {
  type: "object",
  properties: {
    device_keys: deviceKeysSchema,
    one_time_keys: oneTimeKeysSchema,
    fallback_keys: oneTimeKeysSchema,
    "org.matrix.msc2732.fallback_keys": oneTimeKeysSchema,
  },
};

export const querySchema = {
  type: "object",
  required: ["device_keys"],
  properties: {
    timeout: { type: "integer" },
    device_keys: {
      type: "object",
      additionalProperties: { type: "array", items: { type: "string" } },
    },
  },
};

export const claimSchema = {
  type: "object",
  required: ["one_time_keys"],
  properties: {
    timeout: { type: "integer" },
    one_time_keys: { type: "object", additionalProperties: strings },
  },
};

const crossSigningKey = {
  type: "object",
  required: ["user_id", "usage", "keys"],
  properties: {
    user_id: { type: "string" },
    usage: { type: "array", maxItems: 10, items: { type: "string" } },
    keys: strings,
    signatures,
  },
};

export const crossSigningSchema = {
  type: "object",
  properties: {
    master_key: crossSigningKey,
    self_signing_key: crossSigningKey,
    user_signing_key: crossSigningKey,
    auth: { type: "object" },
  },
};

export const signaturesSchema = {
  type: "object",
  additionalProperties: {
    type: "object",
    additionalProperties: {
      type: "object",
      properties: { signatures },
    },
  },
};
