/**
 * Compares by code point. The order of UTF-16, which `<` has, differs where a
 * surrogate pair meets a character from U+E000 to U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) {
      const isLeftAstral = left >= 0xd800 && left <= 0xdfff;
      const isRightAstral = right >= 0xd800 && right <= 0xdfff;
      if (isLeftAstral === isRightAstral) return left - right;
      return isLeftAstral ? 1 : -1;
    }
  }
  return a.length - b.length;
}
