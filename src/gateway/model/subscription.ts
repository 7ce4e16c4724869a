import { open } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { parseJson } from "../json.ts";

/** Where Claude Code keeps a login on Linux, and where the older system kept its copy. */
const PLACES = [".credentials.json", ".claude/.credentials.json"];
const MAX_BYTES = 65_536;

const Login = z.object({
  claudeAiOauth: z.object({
    accessToken: z.string().regex(/^[\x21-\x7e]{8,4000}$/),
    expiresAt: z.number().nullish(),
  }),
});

/** The login of a Claude subscription. Claude Code itself renews it; here it is only read. */
export function createSubscription(options: { token: Secret | null; hostDir: string | null }): {
  /** Throws `forbidden` when there is none, or when it has expired. */
  token(): Promise<Secret>;
} {
  const { token, hostDir } = options;
  if (token !== null) return { token: () => Promise.resolve(token) };
  return {
    async token() {
      // Read for every call: whoever renews it replaces the file.
      for (const place of PLACES) {
        const text = await readBounded(join(hostDir ?? "", place));
        if (text === null) continue;
        const login = Login.safeParse(parseJson(text));
        if (!login.success) throw noLogin("holds no login of Claude Code", hostDir);
        const { accessToken, expiresAt } = login.data.claudeAiOauth;
        if (typeof expiresAt === "number" && expiresAt <= Date.now())
          throw noLogin(`has expired at ${new Date(expiresAt).toISOString()}`, hostDir);
        return new Secret(accessToken);
      }
      throw noLogin("is not there", hostDir);
    },
  };
}

function noLogin(what: string, hostDir: string | null): HubError {
  return new HubError("forbidden", `The hub's login of a Claude subscription ${what}`, {
    hint: `run claude once with CLAUDE_CONFIG_DIR=${hostDir ?? ""}, or set CLAUDE_CODE_OAUTH_TOKEN to what claude setup-token makes`,
  });
}

/** Null when there is no such file. */
async function readBounded(path: string): Promise<string | null> {
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new HubError("forbidden", "The hub's login of a Claude subscription cannot be read", {
      cause: error,
    });
  }
}
