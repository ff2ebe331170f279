const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_SAFE_BASE64 = /^[A-Za-z0-9_-]*={0,2}$/;

/** Unpadded base64, as the specification writes binary values. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    bytes.byteLength,
  ).toString("base64");
  const padding = text.indexOf("=");
  return padding === -1 ? text : text.slice(0, padding);
}

/** Decodes base64 of either alphabet, padded or not; undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!BASE64.test(text) && !URL_SAFE_BASE64.test(text)) return undefined;
  const padding = text.indexOf("=");
  const digits = padding === -1 ? text.length : padding;
  return digits % 4 === 1 ? undefined : Buffer.from(text, "base64");
}
