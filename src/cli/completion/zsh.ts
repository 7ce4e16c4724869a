import type { Place } from "./completion.ts";

/** Commands, options and choices, each with what it is; files where an argument is one. */
export function zshCompletion(places: Place[]): string {
  const paths = places.map(({ path }) => path).filter((path) => path !== "");
  return `#compdef claude-hub
# Completion of claude-hub for zsh.
_claude_hub() {
  local place="" word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      (${paths.map(quoted).join("|")}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place:\${words[CURRENT-1]}" in
${places.flatMap(choiceCases).join("\n")}
  esac
  case "$place" in
${places.map(placeCase).join("\n")}
  esac
}
_claude_hub "$@"
`;
}

function choiceCases({ path, options }: Place): string[] {
  return options
    .filter(({ choices }) => choices.length > 0)
    .map(({ short, long, choices }) => {
      const names = [short, long].flatMap((name) =>
        name === null ? [] : [quoted(`${path}:${name}`)],
      );
      return `    (${names.join("|")}) compadd -- ${choices.join(" ")}; return ;;`;
    });
}

function placeCase({ path, commands, options, choices, files }: Place): string {
  const words = [
    ...commands.map(({ name, description }) => described(name, description)),
    ...choices.map((choice) => quoted(choice)),
    ...options.map(({ long, description }) => described(long, description)),
    described("--help", "show how it is used"),
  ];
  return `    (${quoted(path)}) found=(${words.join(" ")}); _describe word found${files ? "; _files" : ""} ;;`;
}

function described(name: string, description: string): string {
  return quoted(`${name}:${description.replaceAll(":", " ")}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
