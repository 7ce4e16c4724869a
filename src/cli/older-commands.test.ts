import { expect, test } from "vitest";
import { createProgram } from "./program.ts";

/**
 * The commands of the older system's command line, with what they take.
 * Source: https://github.com/claude-did-this/claude-hub, cli/src/commands and cli/README.md.
 */
const OLDER: [name: string, args: string[], options: string[]][] = [
  [
    "start",
    ["repo", "command"],
    ["-p --pr", "-i --issue", "-b --branch", "-m --memory", "-c --cpu", "--pids"],
  ],
  ["start-batch", ["file"], ["-p --parallel", "-c --concurrent"]],
  ["list", [], ["-s --status", "-r --repo", "-l --limit", "--json"]],
  ["logs", ["id"], ["-f --follow", "-t --tail"]],
  ["continue", ["id", "command"], []],
  ["stop", ["id"], ["-f --force", "--remove"]],
  ["recover", ["id"], []],
  ["sync", [], []],
  ["examples", [], []],
];

const { commands } = createProgram();

test.each(OLDER)("%s takes what it took", (name, args, options) => {
  const command = commands.find((one) => one.name() === name);
  const required = (command?.registeredArguments ?? []).filter((argument) => argument.required);
  expect(required).toHaveLength(args.length);
  const known = command?.options.map(({ short, long }) => [short, long].filter(Boolean).join(" "));
  expect(known).toEqual(expect.arrayContaining(options));
});

function optionOf(name: string, long: string) {
  return commands.find((one) => one.name() === name)?.options.find((one) => one.long === long);
}

test("what was optional is optional, and what was usual is usual", () => {
  expect(optionOf("start", "--pr")?.optional).toBe(true);
  expect(optionOf("list", "--limit")?.defaultValue).toBe(10);
  expect(optionOf("logs", "--tail")?.defaultValue).toBe(100);
  expect(optionOf("start-batch", "--concurrent")?.defaultValue).toBe(2);
  expect(optionOf("list", "--status")?.argChoices).toEqual(
    expect.arrayContaining(["running", "completed", "failed", "stopped"]),
  );
});
