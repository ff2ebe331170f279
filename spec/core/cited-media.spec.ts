import { expect } from "chai";
import { listCitedMedia } from "../../src/core/cited-media.ts";
import { parseMxc } from "../../src/core/mxc.ts";

describe("listCitedMedia", () => {
  const list = (content: object) =>
    listCitedMedia(JSON.parse(JSON.stringify(content)) as never, "test");

  it("finds every place that names a file", () => {
    expect(
      list({
        url: "mxc://test/a",
        avatar_url: "mxc://test/b",
        file: { url: "mxc://test/c" },
        info: {
          thumbnail_url: "mxc://test/d",
          thumbnail_file: { url: "mxc://test/e" },
        },
        images: { smile: { url: "mxc://test/f" }, odd: 7 },
        pack: { avatar_url: "mxc://test/g" },
      }),
    ).to.have.members(["a", "b", "c", "d", "e", "f", "g"]);
  });

  it("names each once, and those of this server alone", () => {
    expect(
      list({ url: "mxc://test/a", info: { thumbnail_url: "mxc://test/a" } }),
    ).to.deep.equal(["a"]);
    expect(list({ url: "mxc://other/a" })).to.deep.equal([]);
  });

  it("takes nothing else for one", () => {
    for (const url of [
      ...["https://test/a", "mxc://test/", "mxc://test/a/b", "mxc://test/a b"],
      ...["mxc:/test/a", "", null, 7, ["mxc://test/a"], { url: "x" }],
    ])
      expect(list({ url, file: url, info: url }), String(url)).to.deep.equal(
        [],
      );
  });
});

describe("parseMxc", () => {
  it("parts a server from an id", () => {
    expect(parseMxc("mxc://[::1]:80/a_-Z9")).to.deep.equal({
      serverName: "[::1]:80",
      mediaId: "a_-Z9",
    });
  });

  it("knows no id with dots, slashes or more than 255 letters", () => {
    for (const id of ["..", "a.b", "a%2fb", "x".repeat(256)])
      expect(parseMxc(`mxc://test/${id}`)).to.equal(undefined);
  });
});
