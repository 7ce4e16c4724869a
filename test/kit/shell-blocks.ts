/** What stands in a page between fences of a language, in its order. */
export function blocksIn(page: string, language = "sh"): string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...page.matchAll(fenced)].map(([, block = ""]) => block);
}

/** A call as a shell would make it. */
export interface ShellCall {
  /** Variables that it sets; of `export` as well. */
  variables: string[];
  /** Program and arguments; none: it only sets variables. */
  words: string[];
}

const PIECE = /#.*|(?:\\\n|\$\([^)]*\)|'[^']*'|"[^"]*"|[^\s'"#;&|<>])+|\n|[;&|<>]+/g;
const ENDS = /^(?:\n|;|&&|\|)$/;

/** The calls of a block, as far as documents need a shell: quotation, comments, variables, one after the other. */
export function callsOf(block: string): ShellCall[] {
  const lines: string[][] = [[]];
  for (const [piece] of block.matchAll(PIECE)) {
    if (piece.startsWith("#")) continue;
    if (ENDS.test(piece)) lines.push([]);
    else lines.at(-1)?.push(piece);
  }
  return lines.filter((line) => line.length > 0).map(callOf);
}

function callOf(pieces: string[]): ShellCall {
  const variables: string[] = [];
  const words = pieces[0] === "export" ? pieces.slice(1) : [...pieces];
  for (;;) {
    const name = /^([A-Za-z_]\w*)=/.exec(words[0] ?? "")?.[1];
    if (name === undefined) return { variables, words: words.map(unquoted) };
    variables.push(name);
    words.shift();
  }
}

function unquoted(word: string): string {
  return word.replaceAll(/'([^']*)'|"([^"]*)"|\\\n/g, (_, single = "", double = "") => {
    return `${single}${double}`;
  });
}
