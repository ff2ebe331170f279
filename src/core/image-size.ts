export interface ImageSize {
  width: number;
  height: number;
}

/** How large a PNG, GIF, WebP or JPEG says that it is; nothing is decoded. */
export function findImageSize(bytes: Buffer): ImageSize | undefined {
  const text = (from: number, to: number) => bytes.toString("latin1", from, to);
  if (text(1, 4) === "PNG" && text(12, 16) === "IHDR" && bytes.length >= 24)
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (text(0, 3) === "GIF" && bytes.length >= 10)
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (text(8, 12) === "WEBP" && bytes.length >= 30)
    return sizeOfWebp(bytes, text(12, 16));
  if (text(0, 2) === "\xff\xd8") return sizeOfJpeg(bytes);
  return undefined;
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function sizeOfWebp(bytes: Buffer, chunk: string): ImageSize | undefined {
  switch (chunk) {
    case "VP8X":
      return {
        width: bytes.readUIntLE(24, 3) + 1,
        height: bytes.readUIntLE(27, 3) + 1,
      };
    case "VP8L": {
      const bits = bytes.readUInt32LE(21);
      return {
        width: (bits & 0x3fff) + 1,
        height: ((bits >>> 14) & 0x3fff) + 1,
      };
    }
    case "VP8 ":
      return {
        width: bytes.readUInt16LE(26) & 0x3fff,
        height: bytes.readUInt16LE(28) & 0x3fff,
      };
    default:
      return undefined;
  }
}

/** Segments stand one behind the other; one that begins a frame tells its size. */
function sizeOfJpeg(bytes: Buffer): ImageSize | undefined {
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    // Of the markers from C0 to CF these are tables, not frames.
    const isFrame =
      (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return {
        width: bytes.readUInt16BE(at + 7),
        height: bytes.readUInt16BE(at + 5),
      };
    // A marker may be filled up with bytes of its own kind.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
