import { SETTINGS } from "./settings.ts";

/** docs/configuration.md: every setting, from the table that reads them. */
export function configurationDocument(): string {
  const rows = Object.values(SETTINGS).map(
    ({ variable, doc, expected, secret, fallback, fallbackText }) => {
      const usual =
        fallbackText ?? (fallback === undefined || fallback === "" ? "none" : `\`${fallback}\``);
      const values =
        secret && expected === "text" ? "secret" : secret ? `secret: ${expected}` : expected;
      return `| \`${variable}\` | ${usual} | ${values} | ${doc} |`;
    },
  );
  return `# Configuration

This file is generated from the tables behind \`src/config/settings.ts\` by \`npm run docs\`.

A setting is looked for in the flags of \`claude-hub serve\`, in the environment, in the file \`hub.env\` in the data directory
(lines of \`NAME=value\`), and then has its default; the first that has it counts. An empty value counts as not set.
Every secret may also be given as \`NAME_FILE\`, the path of a file that holds it; where both are set in the same place, the file
wins. A value that cannot be used stops the start with one sentence, and so does a name that begins with \`CLAUDE_HUB_\` and is not
in this table. \`CLAUDE_HUB_DIR\` cannot stand in \`hub.env\`, since it says where that file is.

| variable | default | values | meaning |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}
