import { BlockList, isIP } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { isWithin, parseIp, parseNetwork } from "../../src/util/ip-address.ts";

describe("IP addresses", () => {
  it("are read in their canonical spellings", () => {
    expect(parseIp("0.0.0.0")).to.deep.equal({ version: 4, value: 0n });
    expect(parseIp("127.0.0.1")?.value).to.equal(0x7f000001n);
    expect(parseIp("::")).to.deep.equal({ version: 6, value: 0n });
    expect(parseIp("::1")?.value).to.equal(1n);
    expect(parseIp("1::")?.value).to.equal(1n << 112n);
    expect(parseIp("::ffff:127.0.0.1")).to.deep.equal(parseIp("::ffff:7f00:1"));
    expect(parseIp("1:2:3:4:5:6:7:8")?.value).to.equal(
      0x0001_0002_0003_0004_0005_0006_0007_0008n,
    );
  });

  for (const text of [
    ...["", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "0x7f.0.0.1"],
    ...["1.2.3.4 ", "127.1", "2130706433", "1.2.3.-4", "١.2.3.4", "a.b.c.d"],
    ...[":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"],
    ...["1:2:3:4:5:6:7:8::", "::12345", "::g", "fe80::1%eth0", "[::1]"],
    ...["1.2.3.4::", "::1.2.3.4:5", "::1.2.3", ":1", "1:", "::-1"],
  ]) {
    it(`are none in ${JSON.stringify(text)}`, () => {
      expect(parseIp(text)).to.equal(undefined);
    });
  }

  it("are within a network as Node's own list says", () => {
    const ipv4 = fc.ipV4();
    const ipv6 = fc.ipV6();
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)),
        fc.nat(128),
        fc.boolean(),
        ([address, other], bits, isOwn) => {
          const version = isIP(address);
          fc.pre(version !== 0 && isIP(other) === version);
          // Node takes mapped addresses for IPv4 ones.
          fc.pre(!/^(?:::|0+:).*ffff:/i.test(`${address} ${other}`));
          const length = Math.min(bits, version === 4 ? 32 : 128);
          const base = isOwn ? address : other;
          const list = new BlockList();
          list.addSubnet(base, length, version === 4 ? "ipv4" : "ipv6");
          const expected = list.check(address, version === 4 ? "ipv4" : "ipv6");
          const network = parseNetwork(`${base}/${length}`);
          expect(isWithin(parseIp(address)!, network!)).to.equal(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("of one family are in no network of the other", () => {
    expect(isWithin(parseIp("0.0.0.1")!, parseNetwork("::/0")!)).to.equal(
      false,
    );
    expect(isWithin(parseIp("::1")!, parseNetwork("0.0.0.0/0")!)).to.equal(
      false,
    );
  });

  it("make no network with a prefix that is longer than they are", () => {
    for (const text of ["1.2.3.4/33", "::/129", "::/", "::/1/2", "::/-1", "/8"])
      expect(parseNetwork(text), text).to.equal(undefined);
    expect(parseNetwork("1.2.3.4")).to.deep.equal(parseNetwork("1.2.3.4/32"));
  });
});
