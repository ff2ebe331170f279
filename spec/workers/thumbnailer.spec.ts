import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import sharp from "sharp";
import {
  createThumbnailer,
  type Thumbnail,
  type Thumbnailer,
} from "../../src/workers/thumbnailer.ts";
import type { ThumbnailWish } from "../../src/workers/thumbnail-messages.ts";
import { inChunks } from "../support/collect.ts";
import { describeProcess, listChildren } from "../../test/faults/processes.ts";
import { animationOf, imageOf } from "../support/media.ts";
import { until } from "../support/until.ts";

const WISH: ThumbnailWish = {
  width: 96,
  height: 96,
  method: "scale",
  isAnimated: false,
  maxPixels: 32_000_000,
};

const listDecoders = () =>
  listChildren(process.pid).filter(({ command }) =>
    command.includes("thumbnail-process"),
  );

/** The classes of its threads, as the kernel numbers them. */
const classesOf = (pid: number): Set<number> =>
  new Set(
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      // The 41st of its fields; the second one ends with the last bracket.
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
    }),
  );
const [SHARING, IDLE] = [0, 5];
const hasClasses = () =>
  process.platform === "linux" &&
  spawnSync("chrt", ["-i", "0", "chrt", "-o", "0", "true"]).status === 0;

describe("the thumbnailer", () => {
  let thumbnailer: Thumbnailer;
  before(() => {
    thumbnailer = createThumbnailer();
  });
  after(() => thumbnailer.close());

  const make = (file: Uint8Array, wish: Partial<ThumbnailWish> = {}) =>
    thumbnailer.make({ ...WISH, ...wish }, file.length, inChunks(file, 50_000));

  async function madeOf(file: Uint8Array, wish: Partial<ThumbnailWish> = {}) {
    const made = await make(file, wish);
    expect(made).not.to.have.property("failure");
    const { bytes, contentType } = made as Thumbnail;
    const meta = await sharp(bytes, { pages: -1 }).metadata();
    return { ...meta, bytes, contentType };
  }

  for (const format of ["png", "jpeg", "webp", "gif", "avif"] as const)
    it(`decodes ${format}`, async () => {
      const file = await imageOf(400, 200, format);
      const { contentType, height, width } = await madeOf(file);
      expect([width, height]).to.deep.equal([96, 48]);
      expect(contentType).to.match(/^image\/(png|jpeg)$/);
    });

  it("crops to the size, and scales into it", async () => {
    const file = await imageOf(400, 200);
    const cropped = await madeOf(file, { method: "crop" });
    expect([cropped.width, cropped.height]).to.deep.equal([96, 96]);
  });

  it("makes nothing larger than it was", async () => {
    for (const method of ["crop", "scale"] as const) {
      const { height, width } = await madeOf(await imageOf(10, 5), { method });
      expect([width, height]).to.deep.equal([10, 5]);
    }
  });

  it("turns an image as its camera was held, and tells nothing more of it", async () => {
    const file = await sharp(await imageOf(200, 100, "jpeg"))
      .withExif({ IFD0: { Copyright: "secret place", Orientation: "6" } })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const { bytes, exif, height, width } = await madeOf(file);
    expect([width, height]).to.deep.equal([48, 96]);
    expect(exif).to.equal(undefined);
    expect(Buffer.from(bytes).includes("secret place")).to.equal(false);
  });

  for (const format of ["gif", "webp"] as const)
    it(`keeps a ${format} moving where that is wished, and else not`, async () => {
      const file = await animationOf(200, 100, 5, format);
      const moving = await madeOf(file, { isAnimated: true });
      expect(moving.pages).to.equal(5);
      expect([moving.width, moving.pageHeight]).to.deep.equal([96, 48]);
      expect(moving.contentType).to.equal("image/webp");
      const still = await madeOf(file);
      expect(still.pages ?? 1).to.equal(1);
    });

  it("row 70: refuses an image of too many pixels by its header", async () => {
    const bomb = pngOf(64_000, 64_000);
    expect(await make(bomb)).to.deep.equal({ failure: "too-large" });
    const file = await imageOf(1001, 1000);
    const maxPixels = 1_000_000;
    expect(await make(file, { maxPixels })).to.deep.equal({
      failure: "too-large",
    });
  });

  it("row 70: shows the first frame of an animation of too many", async () => {
    const file = await animationOf(4, 4, 400);
    const { pages = 1 } = await madeOf(file, { isAnimated: true });
    expect(pages).to.equal(1);
  });

  it("CVE-2023-4863: one file that cannot be decoded fails alone", async () => {
    const good = await imageOf(50, 50);
    const files = [
      Buffer.from("no image at all"),
      Buffer.alloc(0),
      good.subarray(0, good.length / 2),
      Buffer.concat([good.subarray(0, 60), Buffer.alloc(500, 0xff)]),
      Buffer.concat([
        Buffer.from("RIFF\x10\0\0\0WEBPVP8 "),
        Buffer.alloc(500, 7),
      ]),
    ];
    const made = await Promise.all(files.map((file) => make(file)));
    for (const each of made)
      expect(each).to.deep.equal({ failure: "undecodable" });
    expect((await madeOf(good)).width).to.equal(50);
  });

  it("row 70 CVE-2023-4863: a decoder that dies costs one thumbnail", async () => {
    const good = await imageOf(50, 50);
    await madeOf(good);
    async function* killing() {
      yield good.subarray(0, 20);
      for (const { pid } of listDecoders()) process.kill(pid, "SIGKILL");
      yield good.subarray(20);
    }
    const made = await thumbnailer.make(WISH, good.length, killing());
    expect(made).to.deep.equal({ failure: "undecodable" });
    expect((await madeOf(good)).width).to.equal(50);
  });

  it("row 70: a decoder that takes too long is killed", async () => {
    const hasty = createThumbnailer({ longestMs: 0 });
    const large = await imageOf(5000, 5000);
    const made = await hasty.make(WISH, large.length, inChunks(large, 50_000));
    await hasty.close();
    expect(made).to.deep.equal({ failure: "undecodable" });
    // That of all the other specs is left.
    await until(async () => {
      await new Promise((done) => setImmediate(done));
      return listDecoders().length === 1;
    });
  });

  it("decodes behind all others, and gives an image that waits for long a share of its own", async function () {
    if (!hasClasses()) this.skip();
    const impatient = createThumbnailer({ patienceMs: 0 });
    const others = new Set(listDecoders().map(({ pid }) => pid));
    const large = await imageOf(3000, 3000);
    const seen = new Set<number>();
    try {
      const making = impatient.make(
        WISH,
        large.length,
        inChunks(large, 50_000),
      );
      let isOver = false;
      void making.finally(() => (isOver = true));
      const own = () => listDecoders().find(({ pid }) => !others.has(pid));
      await until(async () => {
        await new Promise((done) => setImmediate(done));
        const decoder = own();
        if (decoder) for (const one of classesOf(decoder.pid)) seen.add(one);
        return isOver;
      });
      expect(await making).not.to.have.property("failure");
      expect([...seen]).to.include(SHARING);
      await until(async () => {
        await new Promise((done) => setImmediate(done));
        const classes = classesOf(own()!.pid);
        return classes.size === 1 && classes.has(IDLE);
      });
      const [beside] = listChildren(own()!.pid).map(({ pid }) => pid);
      expect(beside).to.be.a("number");
      await impatient.close();
      await until(async () => {
        await new Promise((done) => setImmediate(done));
        return describeProcess(beside!) === undefined;
      });
    } finally {
      await impatient.close();
    }
  });

  it("CVE-2024-53863: runs no other decoder", async () => {
    const others = [
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
      "P3 1 1 255 0 0 0\n",
      await sharp(await imageOf(9, 9))
        .tiff()
        .toBuffer(),
    ];
    for (const file of others)
      expect(await make(Buffer.from(file))).to.deep.equal({
        failure: "undecodable",
      });
  });

  it("survives a file that cannot be read to its end", async () => {
    async function* broken() {
      yield Buffer.from("\x89PNG");
      throw new Error("damaged");
    }
    const failure = await thumbnailer.make(WISH, 1000, broken()).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.have.property("message", "damaged");
    expect((await madeOf(await imageOf(50, 50))).width).to.equal(50);
  });

  it("refuses more than may wait", async () => {
    const short = createThumbnailer({ mostWaiting: 5 });
    const file = await imageOf(20, 20);
    const made = await Promise.all(
      Array.from({ length: 8 }, () =>
        short.make(WISH, file.length, inChunks(file, 100)),
      ),
    );
    await short.close();
    const busy = made.filter((each) => "failure" in each);
    expect(busy).to.have.length(3);
    for (const each of busy) expect(each).to.deep.equal({ failure: "busy" });
  });
});

/** A whole PNG of these dimensions, whose pixels are a few zeros that were packed. */
function pngOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunkOf("IHDR", header),
    chunkOf("IDAT", deflateSync(Buffer.alloc(1_000_000))),
    chunkOf("IEND", Buffer.alloc(0)),
  ]);
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crcOf(body));
  return Buffer.concat([length, body, crc]);
}

/** https://www.w3.org/TR/png-3/#D-CRCAppendix */
function crcOf(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k += 1)
      crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
