/** A page that makes no preview, as far as the page is the reason. */
export class PageError extends Error {
  override readonly name = "PageError";
}
