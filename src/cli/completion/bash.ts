import type { Place } from "./completion.ts";

/** Commands, options and choices; files where nothing else fits. */
export function bashCompletion(places: Place[]): string {
  const paths = places.map(({ path }) => path).filter((path) => path !== "");
  const choices = places.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map(({ short, long, choices: words }) =>
        [short, long]
          .flatMap((name) => (name === null ? [] : [`    "${path}:${name}")`]))
          .map(
            (pattern) =>
              `${pattern} COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur")); return ;;`,
          )
          .join("\n"),
      ),
  );
  return `# Completion of claude-hub for bash.
_claude_hub() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.map((path) => `"${path}"`).join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path:$prev" in
${choices.join("\n")}
  esac
  case "$path" in
${places.map((place) => `    "${place.path}") words="${wordsOf(place).join(" ")}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _claude_hub claude-hub
`;
}

function wordsOf({ commands, options, choices }: Place): string[] {
  return [
    ...commands.map(({ name }) => name),
    ...choices,
    ...options.map(({ long }) => long),
    "--help",
  ];
}
