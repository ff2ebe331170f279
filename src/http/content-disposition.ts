/** Characters that no name keeps: those of control, and those that part folders. */
const UNFIT = /[\p{Control}\p{Surrogate}/\\]/gu;

/**
 * https://www.rfc-editor.org/rfc/rfc6266
 * Names that are not plain ASCII stand there twice: old programs read the first.
 */
export function contentDisposition(
  isInline: boolean,
  fileName: string | null,
): string {
  const kind = isInline ? "inline" : "attachment";
  const name = (fileName ?? "").replace(UNFIT, "_");
  if (name === "") return kind;
  const isPlain = /^[\x20-\x7e]*$/.test(name) && !name.includes("%");
  const plain = name.replace(/[^\x20-\x7e]|[%"]/gu, "_");
  if (isPlain) return `${kind}; filename="${name.replaceAll('"', '\\"')}"`;
  return `${kind}; filename="${plain}"; filename*=utf-8''${encode(name)}`;
}

/** RFC 8187 leaves fewer characters as they are than a URI does. */
const encode = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
