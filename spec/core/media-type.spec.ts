import { expect } from "chai";
import {
  isShownInline,
  parseType,
  sniffType,
} from "../../src/core/media-type.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("sniffType", () => {
  const heads: Readonly<Record<string, string | null>> = {
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "image/png",
    "\xff\xd8\xff\xe0\0\x10JFIF": "image/jpeg",
    "GIF89a\x01\0": "image/gif",
    "RIFF\x10\0\0\0WEBPVP8 ": "image/webp",
    "RIFF\x10\0\0\0WAVEfmt ": "audio/wav",
    "\0\0\0\x1cftypavif": "image/avif",
    "\0\0\0\x1cftypheic": "image/heic",
    "\0\0\0\x1cftypisom": "video/mp4",
    "\0\0\0\x1cftypqt  ": "video/quicktime",
    "\x1aE\xdf\xa3": "video/webm",
    "OggS\0": "audio/ogg",
    "%PDF-1.7": "application/pdf",
    "PK\x03\x04": "application/zip",
    "<svg xmlns='http://www.w3.org/2000/svg'/>": "text/plain",
    "<!DOCTYPE html><script>": "text/plain",
    "plain words\n": "text/plain",
    "\x00\x01\x02": null,
    "\xfe\xff\xfe": null,
    "": null,
  };
  for (const [head, type] of Object.entries(heads))
    it(`takes ${JSON.stringify(head.slice(0, 20))} for ${type}`, () => {
      expect(sniffType(bytes(head))).to.equal(type);
    });

  it("takes a text for one that is cut within a character", () => {
    const text = Buffer.from("é".repeat(600)).subarray(0, 1023);
    expect(sniffType(text)).to.equal("text/plain");
  });
});

describe("isShownInline", () => {
  it("shows what the specification lists, in any spelling and with parameters", () => {
    for (const type of ["text/plain", "Text/Plain; charset=utf-8", "video/mp4"])
      expect(isShownInline(type, null), type).to.equal(true);
  });

  it("shows an image only where its bytes are one of that type", () => {
    expect(isShownInline("image/png", "image/png")).to.equal(true);
    expect(isShownInline("image/apng", "image/png")).to.equal(true);
    expect(isShownInline("image/png", "text/plain")).to.equal(false);
    expect(isShownInline("image/gif", "image/jpeg")).to.equal(false);
  });

  it("shows nothing that can run", () => {
    for (const type of [
      ...["text/html", "TEXT/HTML", "image/svg+xml", "application/xhtml+xml"],
      ...["application/pdf", "text/javascript", "application/xml", "text/xml"],
      ...["application/octet-stream", "", "text/html;text/plain"],
    ])
      expect(isShownInline(type, "text/plain"), type).to.equal(false);
  });
});

describe("parseType", () => {
  it("takes types, with their parameters", () => {
    for (const type of ["image/png", "text/plain; charset=utf-8", "a/b;c"])
      expect(parseType(type)).to.equal(type);
  });

  it("takes nothing that could be more than one header", () => {
    for (const type of [
      ...["image/png\r\nX: y", "image", "/", "a/b\n", "é/x", ""],
      `a/${"b".repeat(300)}`,
      undefined,
    ])
      expect(parseType(type)).to.equal(undefined);
  });
});
