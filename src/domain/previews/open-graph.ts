import type { PageFacts } from "../../edges.ts";
import type { Oembed } from "./oembed.ts";

/** What is told of a page, and where its image may be, the best address first. */
export interface OpenGraph {
  fields: Readonly<Record<string, string>>;
  images: readonly string[];
}

const LONGEST = 1_000;
const LONGEST_SUMMARY = 500;
const MOST_FIELDS = 50;

/** https://ogp.me, https://developer.x.com/en/docs/x-for-websites/cards */
export function selectOpenGraph(facts: PageFacts, page: URL): OpenGraph {
  const { properties, links } = facts;
  const own = [...properties]
    .filter(([name]) => /^og:(?!image(?::|$))[a-z0-9_:.-]+$/.test(name))
    .slice(0, MOST_FIELDS);
  const fields = {
    ...Object.fromEntries(own),
    "og:title": first(
      properties,
      ["og:title", "twitter:title"],
      [facts.title, facts.heading],
    ),
    "og:description": first(
      properties,
      ["og:description", "twitter:description", "description"],
      [summaryOf(facts.text)],
    ),
  };
  const images = [
    ...["og:image:secure_url", "og:image", "og:image:url"],
    ...["twitter:image", "twitter:image:src", "image"],
  ].map((name) => properties.get(name));
  images.push(links.get("image_src"), ...facts.images, links.get("icon"));
  return {
    fields: whole(fields),
    images: listAddresses(images, page),
  };
}

/** What a site says of its page, with what a piece of a page in it says. */
export function readOembed(
  { title, author, provider, image }: Oembed,
  piece: PageFacts | undefined,
  page: URL,
): OpenGraph {
  const fields = {
    "og:title": title ?? author,
    "og:site_name": provider,
    "og:description": piece && summaryOf(piece.text),
    "og:url": page.href,
  };
  return { fields: whole(fields), images: listAddresses([image], page) };
}

/** The first of both, part by part. */
export const merge = (better: OpenGraph, other: OpenGraph): OpenGraph => ({
  fields: { ...other.fields, ...better.fields },
  images: [...better.images, ...other.images],
});

const first = (
  properties: ReadonlyMap<string, string>,
  names: readonly string[],
  otherwise: readonly string[],
): string | undefined =>
  [...names.map((name) => properties.get(name)), ...otherwise].find(Boolean);

/** Sentences or words up to a length. */
function summaryOf(text: string): string {
  if (text.length <= LONGEST_SUMMARY) return text;
  const cut = text.slice(0, LONGEST_SUMMARY);
  const end = Math.max(cut.lastIndexOf(". ") + 1, cut.lastIndexOf("。") + 1);
  if (end > LONGEST_SUMMARY / 2) return cut.slice(0, end);
  const word = cut.lastIndexOf(" ");
  return `${cut.slice(0, word > 0 ? word : LONGEST_SUMMARY - 1)}…`;
}

function whole(
  fields: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const told = Object.entries(fields).flatMap(([name, value]) =>
    value
      ? [[name, value.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, "")]]
      : [],
  );
  return Object.fromEntries(told) as Record<string, string>;
}

/** As whole addresses; what is none, or no http, is left out. */
function listAddresses(
  texts: readonly (string | undefined)[],
  page: URL,
): string[] {
  const urls = texts.flatMap((text) =>
    text && URL.canParse(text, page.href) ? [new URL(text, page)] : [],
  );
  const web = urls.filter(({ protocol }) => /^https?:$/.test(protocol));
  return [...new Set(web.map(({ href }) => href))];
}
