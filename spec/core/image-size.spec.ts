import { expect } from "chai";
import { findImageSize } from "../../src/core/image-size.ts";

const latin = (text: string) => Buffer.from(text, "latin1");

/** The beginnings of images of 300 by 200. */
const IMAGES: Readonly<Record<string, Buffer>> = {
  PNG: latin("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x2c\0\0\0\xc8\x08\x06"),
  GIF: latin("GIF89a\x2c\x01\xc8\0\xf7\0\0"),
  "WebP with losses": latin(
    "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a\x2c\x01\xc8\0\0\0",
  ),
  "WebP without losses": latin(
    `RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f${"\x2b\xc1\x31\0"}${"\0".repeat(10)}`,
  ),
  "WebP of more": latin(
    "RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2b\x01\0\xc7\0\0\0\0",
  ),
  JPEG: latin(
    "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xff\xc4\0\x04xx\xff\xc2\0\x11\x08\0\xc8\x01\x2c\x03",
  ),
};

describe("the size of an image", () => {
  for (const [what, bytes] of Object.entries(IMAGES)) {
    it(`is told by a ${what}`, () => {
      const expected = { width: 300, height: 200 };
      expect(findImageSize(bytes)).to.deep.equal(expected);
    });

    it(`is not told by a ${what} that is cut off`, () => {
      for (let length = 0; length < 10; length += 1)
        expect(findImageSize(bytes.subarray(0, length))).to.equal(undefined);
      for (let length = 10; length < bytes.length; length += 1)
        findImageSize(bytes.subarray(0, length));
    });
  }

  it("is not told by anything else", () => {
    for (const text of ["", "<svg/>", "\xff\xd8", "\xff\xd8\xff", "BM", "%PDF"])
      expect(findImageSize(latin(text))).to.equal(undefined);
    expect(findImageSize(Buffer.alloc(1000, 0xff))).to.equal(undefined);
  });
});
