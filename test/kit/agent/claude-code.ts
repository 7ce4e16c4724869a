import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";

/** The real Claude Code, as its npm package brings it for this machine; it has this name on every system. */
export const claudeCodePath = join(
  import.meta.dirname,
  "../../../node_modules/@anthropic-ai/claude-code/bin/claude.exe",
);

const Line = z.looseObject({ type: z.string(), subtype: z.string().optional() });

/** Runs it on somebody's desk, where it knows of nothing but this model; answers its lines. */
export async function runClaudeCode(
  model: { url: string; apiKey: string },
  { cwd, home, args, prompt }: { cwd: string; home: string; args: string[]; prompt: string },
) {
  const child = spawn(
    claudeCodePath,
    ["-p", "--output-format", "stream-json", "--verbose", ...args],
    {
      cwd,
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        HOME: home,
        // It refuses to work without asking when it is root, unless it is told that it is confined.
        IS_SANDBOX: "1",
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: model.apiKey,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_TELEMETRY: "1",
        DISABLE_AUTOUPDATER: "1",
        DISABLE_ERROR_REPORTING: "1",
      },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.end(prompt);
  await once(child, "close");
  const lines = output
    .trimEnd()
    .split("\n")
    .map((line) => Line.parse(JSON.parse(line)));
  return { exitCode: child.exitCode, lines, output };
}
