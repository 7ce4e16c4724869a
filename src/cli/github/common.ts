import type { Config } from "../../config/config.ts";
import { apiUrlOf } from "../../config/forge-address.ts";

/** The forge that is named, or the one that is configured. */
export function serversOf({ github }: Config, server: string | undefined) {
  const { serverUrl, apiUrl } = github;
  if (server === undefined) return { serverUrl, apiUrl };
  const named = webAddress("--server", server);
  if (named === serverUrl.replace(/\/+$/, "")) return { serverUrl, apiUrl };
  return { serverUrl: named, apiUrl: apiUrlOf(named) };
}

export function webAddress(option: string, text: string): string {
  if (/^https?:\/\/[^/]/.test(text) && URL.canParse(text)) {
    const { search, hash, username, password } = new URL(text);
    if (search === "" && hash === "" && username === "" && password === "")
      return text.replace(/\/+$/, "");
  }
  throw new Error(
    option === "--hub-url"
      ? "--hub-url must say where GitHub reaches the hub, as https://HOST"
      : `${option} must be an address, as https://HOST`,
  );
}

export async function reporting(work: () => Promise<void>, exitCode = 1): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`claude-hub: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCode;
  }
}
