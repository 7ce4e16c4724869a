import { Option } from "commander";
import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface NewTokenOptions extends ConnectionOptions {
  scope: "read" | "write" | "admin";
  repo?: string[];
  expires?: string;
  json?: boolean;
}
export interface TokenOptions extends ConnectionOptions {
  json?: boolean;
}

export function addToken(program: Command): void {
  const token = program.command("token").description("make and revoke tokens for a hub");
  const create = token
    .command("create")
    .description("make a token; it is shown once")
    .argument("<name>", "whose it is, or what for")
    .addOption(
      new Option("--scope <scope>", "what it is good for; each includes those before it")
        .choices(["read", "write", "admin"])
        .default("read"),
    )
    .option("-r, --repo <repo...>", "for sessions of these repositories alone, as owner/name")
    .option("--expires <days>", "good for so many days")
    .option("--json", "print it as JSON, with what it is good for");
  withConnection(create).action(async (name: string, options: NewTokenOptions) => {
    const { createToken } = await import("../connection/tokens.ts");
    await createToken(name, options);
  });
  const list = token
    .command("list")
    .alias("ls")
    .description("list tokens, the newest first; never what proves them")
    .option("--json", "print them as JSON");
  withConnection(list).action(async (options: TokenOptions) => {
    const { listTokens } = await import("../connection/tokens.ts");
    await listTokens(options);
  });
  const revoke = token
    .command("revoke")
    .description("have a token be good for nothing, at once")
    .argument("<id>", "its id")
    .option("--json", "print it as JSON");
  withConnection(revoke).action(async (id: string, options: TokenOptions) => {
    const { revokeToken } = await import("../connection/tokens.ts");
    await revokeToken(id, options);
  });
}
