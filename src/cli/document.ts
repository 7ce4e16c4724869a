import type { Command, Option } from "commander";
import { EXIT } from "./exit.ts";
import { WHICH_HUB } from "./commands/options.ts";
import { createProgram } from "./program.ts";

const HEAD = `# The command line

Generated from the declarations of the commands; \`npm run docs\` writes it.

\`claude-hub\` runs a hub, and is the client of one, here or elsewhere. In a checkout it is \`npm run -s hub --\`, or after
\`npm run build && npm link\` the command itself.

\`\`\`sh
claude-hub start acme/webapp "Add a health endpoint" --follow
claude-hub list --status running
claude-hub logs 019ac0de --follow
claude-hub stop all
\`\`\`

## Which hub

The first of these that is there:

1. the options \`--url\`, \`--profile\` or \`--dir\`, which all commands have that speak to a hub;
2. \`CLAUDE_HUB_URL\`, or \`CLAUDE_HUB_PROFILE\`;
3. the profile \`default\`, which \`claude-hub login --url URL\` makes: the token is asked for, or read from standard input,
   tried, and kept in \`$XDG_CONFIG_HOME/claude-hub/profiles.json\` for the owner alone;
4. the hub that runs in the data directory on this machine (\`CLAUDE_HUB_DIR\`), without any set-up.

The token for an address is \`CLAUDE_HUB_TOKEN\` (or the file \`CLAUDE_HUB_TOKEN_FILE\`) if that was set for this address, or that of the
login. It is never sent to another address, and never an argument.

## Batch files

A list of tasks in YAML or JSON; \`docs/batch.schema.json\` describes it to editors. What a task needs has to complete before it; its session
then begins on the branch of what it needs. When one fails, what needs it is cancelled, and the exit code is 1.

\`\`\`yaml
# yaml-language-server: $schema=docs/batch.schema.json
- id: core
  repo: acme/webapp
  command: Add a health endpoint
  issue: 42
- repo: acme/webapp
  command: Test it
  type: testing
  needs: [core]
  resourceLimits: { memory: 4g }
\`\`\`

\`claude-hub batch tasks.yaml --dry-run\` draws it, without it all are made, started and waited for; interrupted, it only stops looking.
\`claude-hub recover ID --with-dependents\` starts again what failed, and what was cancelled with it.

## Ids, output, exit codes

An id may be cut short as long as one session alone begins so. \`--json\` gives what the API gives, for programs. Colours and what is
written over again are for terminals; \`NO_COLOR\` turns colours off.

`;

/** The reference of the command line: `docs/cli.md`. */
export function cliDocument(): string {
  const codes = Object.values(EXIT).map(({ code, meaning }) => `| ${code} | ${meaning} |\n`);
  const commands = createProgram().commands.flatMap(withChildren);
  const shown = commands.filter(({ command }) => command.description() !== "");
  return `${HEAD}| exit code | |\n| --- | --- |\n${codes.join("")}
\`doctor\` answers 2 when the installation could not be examined.

## Commands
${shown.map(section).join("")}`;
}

interface Named {
  name: string;
  command: Command;
}

function withChildren(command: Command): Named[] {
  const { name, commands } = { name: command.name(), commands: command.commands };
  const below = commands.flatMap(withChildren);
  return [{ name, command }, ...below.map((one) => ({ ...one, name: `${name} ${one.name}` }))];
}

function section({ name, command }: Named): string {
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  const also = aliases.length === 0 ? "" : ` Also ${aliases.join(", ")}.`;
  const parameters = command.registeredArguments.map((argument) => {
    const { required, variadic } = argument;
    const inside = `${argument.name()}${variadic ? "..." : ""}`;
    const shown = required ? `<${inside}>` : `[${inside}]`;
    return { shown, row: `| \`${shown}\` | ${cell(argument.description)} |\n` };
  });
  const usage = [name, ...parameters.map(({ shown }) => shown)].join(" ");
  const options = command.options.filter(
    ({ hidden, helpGroupHeading }) => !hidden && helpGroupHeading !== WHICH_HUB,
  );
  const rows = [...parameters.map(({ row }) => row), ...options.map(optionRow)];
  const table = rows.length === 0 ? "" : `\n| | |\n| --- | --- |\n${rows.join("")}`;
  return `\n### ${name}\n\n\`claude-hub ${usage}\`: ${command.description()}.${also}\n${table}`;
}

function optionRow(option: Option): string {
  const choices = option.argChoices === undefined ? "" : ` (${option.argChoices.join(", ")})`;
  const { defaultValue: usual, negate } = option;
  const isShown = usual !== undefined && !negate && typeof usual !== "boolean";
  const text = `${option.description}${choices}${isShown ? `; usual: \`${String(usual)}\`` : ""}`;
  return `| \`${option.flags}\` | ${cell(text)} |\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
