/** Sites whose pages say little to who is no browser, and where they say more. */
const PROVIDERS: readonly { hosts: readonly string[]; endpoint: string }[] = [
  {
    hosts: ["youtube.com", "youtu.be", "music.youtube.com"],
    endpoint: "https://www.youtube.com/oembed",
  },
  {
    hosts: ["twitter.com", "x.com"],
    endpoint: "https://publish.twitter.com/oembed",
  },
  { hosts: ["vimeo.com"], endpoint: "https://vimeo.com/api/oembed.json" },
  { hosts: ["reddit.com"], endpoint: "https://www.reddit.com/oembed" },
  { hosts: ["tiktok.com"], endpoint: "https://www.tiktok.com/oembed" },
  { hosts: ["open.spotify.com"], endpoint: "https://open.spotify.com/oembed" },
  { hosts: ["soundcloud.com"], endpoint: "https://soundcloud.com/oembed" },
];

/** Where a page's site is asked for its oEmbed, if the site is known. */
export function findOembedAddress(page: URL): string | undefined {
  const host = page.hostname.replace(/^(?:www|m|mobile)\./, "");
  const known = PROVIDERS.find(({ hosts }) => hosts.includes(host));
  if (!known) return undefined;
  const address = new URL(known.endpoint);
  address.searchParams.set("url", page.href);
  address.searchParams.set("format", "json");
  return address.href;
}
