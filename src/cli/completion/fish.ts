import type { Place } from "./completion.ts";

/** Commands, options and choices, each with what it is; files where an argument is one. */
export function fishCompletion(places: Place[]): string {
  const paths = places.map(({ path }) => path).filter((path) => path !== "");
  return `# Completion of claude-hub for fish.
function __claude_hub_at
    set -l place
    for word in (commandline -opc)[2..-1]
        if contains -- (string join -- ' ' $place $word) ${paths.map(quoted).join(" ")}
            set place $place $word
        end
    end
    test "$place" = "$argv[1]"
end
complete -c claude-hub -f
${places.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ path, commands, options, choices, files }: Place): string[] {
  const here = `complete -c claude-hub -n ${quoted(`__claude_hub_at "${path}"`)}`;
  return [
    ...commands.map(({ name, description }) => `${here} -a ${name} -d ${quoted(description)}`),
    ...(choices.length === 0 ? [] : [`${here} -a ${quoted(choices.join(" "))}`]),
    ...(files ? [`${here} -F`] : []),
    ...options.map(({ short, long, description, choices: words, takes }) =>
      [
        `${here} -l ${long.slice(2)}`,
        ...(short === null ? [] : [`-s ${short.slice(1)}`]),
        `-d ${quoted(description)}`,
        ...(words.length > 0 ? [`-xa ${quoted(words.join(" "))}`] : takes ? ["-r"] : []),
      ].join(" "),
    ),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
