import { join } from "node:path";

/** The real Claude Code, as its npm package brings it for this machine; it has this name on every system. */
export const claudeCodePath = join(
  import.meta.dirname,
  "../../../node_modules/@anthropic-ai/claude-code/bin/claude.exe",
);
