import { expect } from "chai";
import { readPage } from "../../src/workers/read-page.ts";

const read = (html: string | Buffer, contentType = "text/html") =>
  readPage({ bytes: Buffer.from(html), contentType });

describe("what a page says of itself", () => {
  it("stands in its meta elements, by property, name or itemprop, the first of each", () => {
    const { properties } = read(`<!doctype html><head>
      <META Property="OG:Title" Content="A &amp; B &#x2014; C">
      <meta property="og:title" content="another">
      <meta name="description" content=" two
        lines ">
      <meta itemprop="image" content="/i.png">
      <meta property="og:empty"><meta content="nameless">`);
    expect(Object.fromEntries(properties)).to.deep.equal({
      "og:title": "A & B — C",
      description: "two lines",
      image: "/i.png",
    });
  });

  it("stands in its title, its first heading and its text", () => {
    const facts = read(`<title>One
      <b>title</b></title><body><nav>menu</nav><svg><title>x</title></svg>
      <h2>The <i>heading</i></h2><h1>Later</h1>
      <script>if (a < b) "no <p>text</p>"</script><style>p {}</style>
      <p>First paragraph.<p>Second<br>one.<footer>imprint</footer>`);
    expect(facts.title).to.equal("One <b>title</b>");
    expect(facts.heading).to.equal("The heading");
    expect(facts.text).to.equal(
      "The heading Later First paragraph. Second one.",
    );
  });

  it("are links to an image, an icon and an oEmbed", () => {
    const { links } = read(`<link rel="shortcut ICON" href="/f.ico">
      <link rel="image_src" href="/i.png"><link rel=stylesheet href=s.css>
      <link rel="alternate" type="application/json+oEmbed" href="/o?a=1&amp;b">
      <link rel="alternate" type="text/xml+oembed" href="/x">`);
    expect(Object.fromEntries(links)).to.deep.equal({
      icon: "/f.ico",
      image_src: "/i.png",
      oembed: "/o?a=1&b",
    });
  });

  it("are its images, the largest first, without counters", () => {
    const { images } = read(`<img src=plain><img src=dot width=1 height=1>
      <img src=big width=800 height="600px"><img src=small width=20 height=20>
      <nav><img src=logo></nav><img>`);
    expect(images).to.deep.equal(["big", "small", "plain"]);
  });

  const german = "<title>Grüße</title>";
  const chinese = "<title>你好</title>";
  const gbk = Buffer.concat([
    Buffer.from('<meta charset="gbk"><title>'),
    Buffer.from([0xc4, 0xe3, 0xba, 0xc3]),
    Buffer.from("</title>"),
  ]);
  const cases: Readonly<Record<string, [Buffer, string, string]>> = {
    "is UTF-8 where nothing is said": [
      Buffer.from(chinese),
      "text/html",
      "你好",
    ],
    "is Latin where nothing is said and it is no UTF-8": [
      Buffer.from(german, "latin1"),
      "text/html",
      "Grüße",
    ],
    "is what the content type says": [
      Buffer.from(german, "latin1"),
      'text/html; charset="ISO-8859-1"',
      "Grüße",
    ],
    "is what its meta element says": [gbk, "text/html", "你好"],
    "is what its meta element says of a content type": [
      Buffer.from(
        `<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">${german}`,
        "latin1",
      ),
      "text/html",
      "Grüße",
    ],
    "is what its first bytes say, whatever else is said": [
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(chinese)]),
      "text/html; charset=latin1",
      "你好",
    ],
    "is UTF-16 by its first bytes": [
      Buffer.from(`\ufeff${chinese}`, "utf16le"),
      "text/html",
      "你好",
    ],
    "is guessed where an unknown charset is named": [
      Buffer.from(chinese),
      "text/html; charset=x-nonsense",
      "你好",
    ],
    "is UTF-8 where its meta element claims UTF-16": [
      Buffer.from(`<meta charset="utf-16">${chinese}`),
      "text/html",
      "你好",
    ],
    "is cut within a character": [
      Buffer.concat([Buffer.from(chinese), Buffer.from([0xe4, 0xbd])]),
      "text/html",
      "你好",
    ],
  };
  for (const [what, [bytes, contentType, title]] of Object.entries(cases))
    it(`${what}: its charset`, () => {
      expect(readPage({ bytes, contentType }).title).to.equal(title);
    });

  it("1.5.1 #6331 row 73: is bounded, however much it says", () => {
    const long = "x".repeat(1_000_000);
    const facts = read(
      `<title>${long}</title><meta property="og:title" content="${long}"><h1>${long}</h1><p>${long}` +
        Array.from(
          { length: 5000 },
          (_, n) => `<meta name=n${n} content=c>`,
        ).join("") +
        Array.from({ length: 5000 }, (_, n) => `<img src=${n}>`).join(""),
    );
    expect(facts.properties.size).to.equal(100);
    expect(facts.images).to.have.length(20);
    for (const text of [
      ...[facts.title, facts.heading, facts.text],
      facts.properties.get("og:title") ?? "",
    ])
      expect(text).to.have.length.within(1, 2000);
  });

  it("cuts no character in half", () => {
    const { title } = read(`<title>${"x".repeat(1999)}😀</title>`);
    expect(title).to.equal("x".repeat(1999));
  });

  it("CVE-2022-31052 row 73: is read down to some depth, without recursion", () => {
    const deep = `<title>deep</title>${"<div>".repeat(1_000_000)}<p>bottom`;
    const { title, text } = read(deep);
    expect(title).to.equal("deep");
    expect(text).to.equal("");
  });

  it("row 73: is read in time, however it is broken", () => {
    for (const hostile of [
      "<".repeat(1_000_000),
      "<a ".repeat(300_000),
      `<a ${"b ".repeat(500_000)}>`,
      `<meta content="${"&amp;".repeat(200_000)}" name=x>`,
      "&".repeat(1_000_000),
      "<!--".repeat(250_000),
      "</p>".repeat(250_000),
      "<![CDATA[".repeat(100_000),
      " ".repeat(1_000_000),
      "<p> ".repeat(250_000),
      `<title>${" \n".repeat(500_000)}`,
      "\0".repeat(1_000_000),
    ])
      expect(read(hostile).properties.size).to.be.at.most(1);
  });
});
