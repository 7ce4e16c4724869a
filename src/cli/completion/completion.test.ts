import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createProgram } from "../program.ts";
import { completionFor } from "./completion.ts";

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)("bash", [
    "--norc",
    "-c",
    `${completionFor("bash", createProgram())}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _claude_hub; printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words,
  ]);
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, those below them, options, and what these may be", async () => {
  expect(await offered("claude-hub", "re")).toEqual(["resume", "retry", "recover"]);
  expect(await offered("claude-hub", "auth", "s")).toEqual(["status"]);
  expect(await offered("claude-hub", "list", "--st")).toEqual(["--status"]);
  expect(await offered("claude-hub", "list", "-s", "c")).toEqual(["completed", "cancelled"]);
  expect(await offered("claude-hub", "completion", "")).toEqual(
    expect.arrayContaining(["bash", "zsh", "fish"]),
  );
});

test.each(["zsh", "fish"])("%s is told all commands and options", (shell) => {
  const text = completionFor(shell, createProgram());
  for (const command of createProgram().commands) {
    expect(text).toContain(command.name());
    for (const { long } of command.options) expect(text).toContain(long?.slice(2));
  }
});
