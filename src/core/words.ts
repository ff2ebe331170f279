const WORD = /[\p{L}\p{N}\p{M}_々〆]+/gu;
/**
 * A word falls into pieces of scripts with and without spaces between words. What is
 * written in the latter is found by pairs of neighbouring signs.
 */
const PIECE =
  /([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆]+)|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆]+/gu;
const LONGEST_WORD = 64;

/** Text as it is compared: compatible forms are one, case does not count. */
export function foldText(text: string): string {
  return (
    text
      .normalize("NFKC")
      // Upwards first: ß and SS are one, as are the two forms of a small sigma.
      .toUpperCase()
      .toLowerCase()
      .replaceAll("ς", "σ")
      .normalize("NFKC")
  );
}

/** The words of a folded text, in order and each as often as it stands there. */
function* wordsIn(folded: string): Generator<string> {
  for (const { text, isUnspaced } of piecesIn(folded)) {
    if (isUnspaced) yield* pairsIn(text);
    else yield cut(text);
  }
}

interface Piece {
  text: string;
  /** Of a script that sets no spaces between words. */
  isUnspaced: boolean;
}

/** What stands between spaces and signs in a folded text. */
export function* piecesIn(folded: string): Generator<Piece> {
  for (const [word] of folded.matchAll(WORD)) {
    for (const [text, unspaced] of word.matchAll(PIECE))
      yield { text, isUnspaced: unspaced !== undefined };
  }
}

const cut = (word: string): string => {
  if (word.length <= LONGEST_WORD) return word;
  return [...word].slice(0, LONGEST_WORD).join("");
};

function* pairsIn(run: string): Generator<string> {
  const signs = [...run];
  if (signs.length === 1) yield run;
  for (let i = 1; i < signs.length; i += 1)
    yield `${signs[i - 1]!}${signs[i]!}`;
}

/** The different words of a text, the first ones where they are more than `most`. */
export function listWords(text: string, most = Infinity): string[] {
  const words = new Set<string>();
  for (const word of wordsIn(foldText(text))) {
    if (words.size >= most) break;
    words.add(word);
  }
  return [...words];
}

/** What is looked for: all of it has to stand in a text. */
export interface WordQuery {
  /** Words as they are indexed. */
  words: readonly string[];
  /** What stands between spaces and signs, as a reader sees it. */
  parts: readonly string[];
  /** Those of them in scripts without spaces: they stand in one piece. */
  runs: readonly string[];
}

export function parseWordQuery(term: string): WordQuery {
  const parts = new Set<string>();
  const runs = new Set<string>();
  for (const { text, isUnspaced } of piecesIn(foldText(term))) {
    parts.add(text);
    if (isUnspaced) runs.add(text);
  }
  return { words: listWords(term), parts: [...parts], runs: [...runs] };
}

/** How well a text holds all that is looked for, above 0 to 1; 0 where something is missing. */
export function rankText(text: string, { words, runs }: WordQuery): number {
  const folded = foldText(text);
  if (words.length === 0 || !runs.every((run) => folded.includes(run)))
    return 0;
  const missing = new Set(words);
  let hits = 0;
  let all = 0;
  const wanted = new Set(words);
  for (const word of wordsIn(folded)) {
    all += 1;
    if (!wanted.has(word)) continue;
    hits += 1;
    missing.delete(word);
  }
  // A single sign of a script without spaces is in no pair, and was found as a run.
  for (const run of runs) if (missing.delete(run)) hits += 1;
  return missing.size > 0 ? 0 : Math.min(1, hits / (words.length + all));
}
