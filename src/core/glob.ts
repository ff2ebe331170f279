/**
 * Whether a whole text matches a glob (`*` any characters, `?` one). Case is
 * folded by the caller. Two pointers and one point to return to: time grows with
 * the product of the lengths at the worst, never beyond.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (wanted === "?" || wanted === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

const WORD = /[A-Za-z0-9_]/;
const isWord = (character: string | undefined): boolean =>
  character !== undefined && WORD.test(character);

/**
 * Whether a glob matches somewhere in a text between word boundaries, ignoring
 * case, as push rules match `content.body`.
 * https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function matchesGlobInWords(pattern: string, text: string): boolean {
  const glob = pattern.toLowerCase();
  const body = text.toLowerCase();
  if (glob === "") return false;
  if (!/[*?]/.test(glob)) return findsWord(glob, body);
  // `*x*` at the ends eats what is around: boundaries are where the match may begin and end.
  let states = new Set<number>();
  for (let at = 0; at <= body.length; at++) {
    const isBoundary = !isWord(body[at - 1]) || !isWord(body[at]);
    if (isBoundary) addState(states, glob, 0);
    if (isBoundary && states.has(glob.length)) return true;
    const character = body[at];
    if (character === undefined) break;
    const next = new Set<number>();
    for (const state of states) {
      const wanted = glob[state];
      if (wanted === "*") addState(next, glob, state);
      else if (wanted === "?" || wanted === character)
        addState(next, glob, state + 1);
    }
    states = next;
  }
  return false;
}

/** A place in the pattern, and those after it that stars let pass. */
function addState(states: Set<number>, glob: string, from: number): void {
  for (let state = from; ; state++) {
    if (states.has(state)) return;
    states.add(state);
    if (glob[state] !== "*") return;
  }
}

function findsWord(word: string, body: string): boolean {
  for (
    let at = body.indexOf(word);
    at !== -1;
    at = body.indexOf(word, at + 1)
  ) {
    const end = at + word.length;
    const startsWord = !isWord(body[at - 1]) || !isWord(body[at]);
    const endsWord = !isWord(body[end - 1]) || !isWord(body[end]);
    if (startsWord && endsWord) return true;
  }
  return false;
}
