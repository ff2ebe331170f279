/** A page, or the beginning of one, as it came. */
export interface HtmlQuestion {
  bytes: Uint8Array;
  /** As its server told it. */
  contentType: string;
}

/** What a page says of itself, as it stands there: none of it is checked. */
export interface PageFacts {
  /** Of `meta` elements, by property or name in lower case; the first of each. */
  properties: ReadonlyMap<string, string>;
  title: string;
  heading: string;
  /** The beginning of its text. */
  text: string;
  /** Addresses by what they are: `image_src`, `icon`, `oembed`. */
  links: ReadonlyMap<string, string>;
  /** Addresses of images, the largest first. */
  images: readonly string[];
}

export type HtmlAnswer = { facts: PageFacts } | { failure: string };
