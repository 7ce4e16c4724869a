import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { ModelAccess } from "../../config/model-access.ts";
import { parseJson } from "../json.ts";
import { createSubscription } from "./subscription.ts";
import type { Trial } from "./trial.ts";

const MODEL = "haiku";
const TIMEOUT_MS = 90_000;
const Result = z.object({ is_error: z.boolean(), result: z.string().catch("") });

/** A subscription is good for Claude Code alone, so Claude Code asks; outside of any sandbox, with an empty home. */
export async function trySubscription(
  access: Extract<ModelAccess, { form: "subscription" }>,
  agentPath: string,
): Promise<Trial> {
  const token = await createSubscription(access).token();
  const home = await mkdtemp(join(tmpdir(), "claude-hub-auth-"));
  try {
    const env = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: home,
      LANG: "C.UTF-8",
      ANTHROPIC_BASE_URL: access.baseUrl,
      CLAUDE_CODE_OAUTH_TOKEN: token.reveal(),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "1",
    };
    const args = ["-p", "Say OK.", "--model", MODEL, "--tools", "", "--output-format", "json"];
    const output = await new Promise<string>((resolve) => {
      const options = { env, cwd: home, timeout: TIMEOUT_MS, killSignal: "SIGKILL" } as const;
      const child = execFile(agentPath, args, options, (_error, stdout, stderr) =>
        // How it ended is in what it printed.
        resolve(stdout === "" ? stderr : stdout),
      );
      child.stdin?.end();
    });
    const result = Result.safeParse(parseJson(output));
    if (result.success && !result.data.is_error) return { ok: true, model: MODEL };
    const said = result.success ? result.data.result : output;
    return {
      ok: false,
      reason: `Claude Code says: ${said.trim().slice(0, 500) || "nothing"}`,
      hint: "make a new token with: claude setup-token",
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
