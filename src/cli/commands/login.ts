import type { Command } from "commander";

export function addLogin(program: Command): void {
  program
    .command("login")
    .description("keep the address of a hub and a token for it")
    .requiredOption("--url <url>", "address of the hub, as https://HOST")
    .option("--profile <name>", "a name for it; `default` is used when none is named", "default")
    .addHelpText(
      "after",
      "\nThe token is asked for, or read from standard input; never given as an argument.",
    )
    .action(async (options: { url: string; profile: string }) => {
      const { login } = await import("../connection/login.ts");
      await login(options);
    });
  program
    .command("logout")
    .description("forget a hub that was logged in to")
    .option("--profile <name>", "its name", "default")
    .action(async (options: { profile: string }) => {
      const { logout } = await import("../connection/login.ts");
      await logout(options);
    });
}
