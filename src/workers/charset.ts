import { Parser } from "htmlparser2";

/** How far a page may say in itself how it is written. */
const PRESCAN_BYTES = 4096;

/**
 * The text of a page.
 * https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 */
export function decodePage(bytes: Uint8Array, contentType: string): string {
  const decoder =
    decoderFor(bomOf(bytes)) ??
    decoderFor(charsetIn(contentType)) ??
    decoderFor(declaredIn(bytes.subarray(0, PRESCAN_BYTES)));
  if (decoder) return decoder.decode(bytes);
  try {
    // As a stream: the last character may have been cut.
    const utf8 = new TextDecoder("utf-8", { fatal: true });
    return utf8.decode(bytes, { stream: true });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The charset that a content type names. */
function charsetIn(contentType: string): string | undefined {
  for (const part of contentType.slice(0, 200).split(";")) {
    const [name = "", value = ""] = part.split("=");
    if (name.trim().toLowerCase() === "charset")
      return value.trim().replaceAll(/["']/g, "");
  }
  return undefined;
}

type Decoder = InstanceType<typeof TextDecoder>;

function decoderFor(label: string | undefined): Decoder | undefined {
  if (label === undefined || label === "") return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

function bomOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return undefined;
}

/** What the first `meta` element with a charset says. */
function declaredIn(bytes: Uint8Array): string | undefined {
  let found: string | undefined;
  const parser = new Parser({
    onopentag(name, { charset, content, ...others }) {
      if (name !== "meta" || found !== undefined) return;
      const isType = /^content-type$/i.test(others["http-equiv"] ?? "");
      found = charset ?? (isType ? charsetIn(content ?? "") : undefined);
    },
  });
  parser.end(new TextDecoder("latin1").decode(bytes));
  // "If charset is UTF-16BE/LE, then set charset to UTF-8": it was read as ASCII.
  return /^utf-?16/i.test(found ?? "") ? "utf-8" : found;
}
