import { expect } from "chai";
import { contentDisposition } from "../../src/http/content-disposition.ts";

describe("contentDisposition", () => {
  const names: Readonly<Record<string, string>> = {
    ascii: 'attachment; filename="ascii"',
    "name with spaces": 'attachment; filename="name with spaces"',
    "name;with;semicolons": 'attachment; filename="name;with;semicolons"',
    'a"b': 'attachment; filename="a\\"b"',
    "☕": "attachment; filename=\"_\"; filename*=utf-8''%E2%98%95",
    "50%.txt": "attachment; filename=\"50_.txt\"; filename*=utf-8''50%25.txt",
    "é'(1)*":
      "attachment; filename=\"_'(1)*\"; filename*=utf-8''%C3%A9%27%281%29%2A",
    "a\r\nb: c\0": 'attachment; filename="a__b: c_"',
    "../../etc/passwd": 'attachment; filename=".._.._etc_passwd"',
    "C:\\x": 'attachment; filename="C:_x"',
    "\ud800": 'attachment; filename="_"',
    "": "attachment",
  };
  for (const [name, header] of Object.entries(names))
    it(`writes ${JSON.stringify(name)}`, () => {
      expect(contentDisposition(false, name)).to.equal(header);
    });

  it("says what is shown in its place", () => {
    expect(contentDisposition(true, "a.png")).to.equal(
      'inline; filename="a.png"',
    );
    expect(contentDisposition(true, null)).to.equal("inline");
  });
});
