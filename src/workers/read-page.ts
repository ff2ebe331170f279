import { Parser } from "htmlparser2";
import { decodePage } from "./charset.ts";
import type { HtmlQuestion, PageFacts } from "./html-messages.ts";

const MOST_PROPERTIES = 100;
const MOST_IMAGES = 20;
const LONGEST_VALUE = 2_000;
const LONGEST_TEXT = 2_000;
/** Deeper pages are read up to there. */
const MAX_DEPTH = 500;
const PIECE = 16 * 1024;

/** What stands in these is not what the page is about. */
const ASIDE = new Set([
  ...["script", "style", "noscript", "template", "svg", "math", "iframe"],
  ...["video", "audio", "canvas", "object", "header", "nav", "footer"],
  ...["aside", "form", "select", "textarea", "button", "title"],
]);
const HEADINGS = new Set(["h1", "h2", "h3"]);

/** Thrown when nothing more of a page is wanted. */
const enough = new Error("enough");

/**
 * Reads what a page says of itself, in one pass and with little memory: no tree is
 * built, and each thing is kept up to a bound.
 */
export function readPage({ bytes, contentType }: HtmlQuestion): PageFacts {
  const reader = new PageReader();
  const parser = new Parser(reader);
  const html = decodePage(bytes, contentType);
  try {
    for (let at = 0; at < html.length; at += PIECE)
      parser.write(html.slice(at, at + PIECE));
    parser.end();
  } catch (error) {
    if (error !== enough) throw error;
  }
  return reader.facts();
}

class PageReader {
  readonly #properties = new Map<string, string>();
  readonly #links = new Map<string, string>();
  readonly #images: { src: string; area: number }[] = [];
  #title = "";
  #heading = "";
  #text = "";
  #depth = 0;
  /** How many elements that stand aside are open, and which of these texts. */
  #aside = 0;
  #inTitle = false;
  #inHeading = false;

  facts(): PageFacts {
    return {
      properties: this.#properties,
      title: tidy(this.#title),
      heading: tidy(this.#heading),
      text: tidy(this.#text),
      links: this.#links,
      images: this.#images
        .toSorted((a, b) => b.area - a.area)
        .map(({ src }) => src),
    };
  }

  onopentag(name: string, attributes: Readonly<Record<string, string>>): void {
    if ((this.#depth += 1) > MAX_DEPTH) throw enough;
    if (ASIDE.has(name)) this.#aside += 1;
    if (name === "meta") this.#readMeta(attributes);
    else if (name === "link") this.#readLink(attributes);
    else if (name === "img" && this.#aside === 0) this.#readImage(attributes);
    else if (name === "title" && this.#aside === 1)
      this.#inTitle = this.#title === "";
    else if (HEADINGS.has(name)) this.#inHeading = this.#heading === "";
    this.#text = grown(this.#text, " ");
  }

  onclosetag(name: string): void {
    this.#depth -= 1;
    if (ASIDE.has(name)) this.#aside -= 1;
    if (name === "title") this.#inTitle = false;
    if (HEADINGS.has(name)) this.#inHeading = false;
  }

  ontext(data: string): void {
    if (this.#inTitle) this.#title = grown(this.#title, data);
    if (this.#aside > 0) return;
    if (this.#inHeading) this.#heading = grown(this.#heading, data);
    this.#text = grown(this.#text, data);
  }

  #readMeta(attributes: Readonly<Record<string, string>>): void {
    const { property, name, itemprop, content } = attributes;
    const key = (property ?? name ?? itemprop ?? "").trim().toLowerCase();
    if (key === "" || key.length > 100 || content === undefined) return;
    if (this.#properties.size < MOST_PROPERTIES && !this.#properties.has(key))
      this.#properties.set(key, tidy(content));
  }

  #readLink({ rel = "", type, href }: Readonly<Record<string, string>>): void {
    if (href === undefined || href.length > LONGEST_VALUE) return;
    const isOembed = type?.toLowerCase() === "application/json+oembed";
    const names = rel.slice(0, 100).toLowerCase().split(/\s/);
    const known = ["image_src", "icon"].filter((name) => names.includes(name));
    if (isOembed && names.includes("alternate")) known.push("oembed");
    for (const name of known)
      if (!this.#links.has(name)) this.#links.set(name, href);
  }

  #readImage(attributes: Readonly<Record<string, string>>): void {
    const { src, width = "", height = "" } = attributes;
    const isFull = this.#images.length >= MOST_IMAGES;
    if (src === undefined || src.length > LONGEST_VALUE || isFull) return;
    const area = Number.parseInt(width, 10) * Number.parseInt(height, 10);
    // One by one they are counters, not pictures.
    if (!(area <= 100)) this.#images.push({ src, area: area || 0 });
  }
}

/** Texts stop growing where enough of them is known. */
function grown(text: string, more: string): string {
  if (text.length >= LONGEST_TEXT) return text;
  const piece = squeeze(more);
  return text.endsWith(" ") ? text + piece.trimStart() : text + piece;
}

const squeeze = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, " ");

/** One line, without what cannot be seen, of a bounded length. */
const tidy = (text: string): string =>
  squeeze(text.slice(0, 2 * LONGEST_VALUE))
    .trim()
    .slice(0, LONGEST_VALUE)
    .replace(/[\ud800-\udbff]$/, "");
