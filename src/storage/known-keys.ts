/** Public halves of signing keys whose private half the world knows. */
const KNOWN_PUBLIC_KEYS = new Set([
  // Made alike by every deployment of a chart, CVE-2026-24044.
  "l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og",
  // The test key of the Matrix specification's appendices.
  "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI",
]);

/** Whether anybody may hold the private half of this key (unpadded base64). */
export function isKnownPublicKey(publicKey: string): boolean {
  return KNOWN_PUBLIC_KEYS.has(publicKey);
}

/** Whether bytes were typed or left empty rather than drawn: repeats, runs, printable words. */
export function isGuessable(bytes: Uint8Array): boolean {
  const half = bytes.length / 2;
  for (let period = 1; period <= half; period += 1) {
    if (bytes.every((byte, i) => byte === bytes[i % period])) return true;
  }
  const step = bytes[1]! - bytes[0]!;
  const isRun = bytes.every(
    (byte, i) => i === 0 || ((byte - bytes[i - 1]! - step) & 255) === 0,
  );
  return isRun || bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}
