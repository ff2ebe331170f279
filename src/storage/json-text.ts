/**
 * The form in which types, state keys and other strings of strangers are
 * stored: as in JSON without the quotes, so that U+0000 and lone surrogates,
 * which PostgreSQL's text cannot hold, fit.
 */
export const escapeText = (text: string): string =>
  JSON.stringify(text).slice(1, -1);

/** The string that `escapeText` was given. */
export const unescapeText = (stored: string): string =>
  stored.includes("\\") ? (JSON.parse(`"${stored}"`) as string) : stored;
