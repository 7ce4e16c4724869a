import { Command } from "commander";

type Options = Record<string, string | undefined>;
interface DoctorOptions {
  dir?: string;
  runtime?: string;
  json?: boolean;
  online?: boolean;
  reach?: string[];
}
interface SetupOptions {
  hubUrl: string;
  organization?: string;
  server?: string;
  name?: string;
  port?: string;
  again?: boolean;
  dir?: string;
}
const DIR = ["--dir <path>", "data directory (CLAUDE_HUB_DIR)"] as const;

/** Reads the command line and does what it says. */
export async function run(argv: string[]): Promise<void> {
  const program = new Command("claude-hub").description(
    "A self-hosted control plane for coding-agent sessions.",
  );
  program
    .command("serve")
    .description("run the hub in the foreground")
    .option("--host <address>", "address to listen on (HOST)")
    .option("--port <number>", "port to listen on (PORT)")
    .option(...DIR)
    .option("--runtime <name>", "what makes sandboxes (CLAUDE_HUB_RUNTIME)")
    .action(async (options: Options) => {
      const { serve } = await import("./serve.ts");
      await serve({
        HOST: options["host"],
        PORT: options["port"],
        CLAUDE_HUB_DIR: options["dir"],
        CLAUDE_HUB_RUNTIME: options["runtime"],
      });
    });
  program
    .command("engine-proxy")
    .description("stand between the hub and the container engine, and let pass what the hub needs")
    .option("--listen <socket>", "where the hub connects (CLAUDE_HUB_PROXY_LISTEN)")
    .option("--engine <socket>", "the engine's own socket (CLAUDE_HUB_PROXY_ENGINE)")
    .option(...DIR)
    .action(async (options: Options) => {
      const { runEngineProxy } = await import("./engine-proxy.ts");
      await runEngineProxy({
        CLAUDE_HUB_PROXY_LISTEN: options["listen"],
        CLAUDE_HUB_PROXY_ENGINE: options["engine"],
        CLAUDE_HUB_DIR: options["dir"],
      });
    });
  program
    .command("doctor")
    .description("say what is wrong with this installation, and what mends it")
    .option(...DIR)
    .option("--runtime <name>", "what makes sandboxes (CLAUDE_HUB_RUNTIME)")
    .option("--json", "print the findings as JSON")
    .option("--online", "try the model with one small call, and ask GitHub")
    .option(
      "--reach <host:port...>",
      "what a sandbox must not reach, in place of 1.1.1.1:443 and 169.254.169.254:80",
    )
    .action(async ({ dir, runtime, json, online, reach }: DoctorOptions) => {
      const { runDoctor } = await import("./doctor.ts");
      await runDoctor(
        { CLAUDE_HUB_DIR: dir, CLAUDE_HUB_RUNTIME: runtime },
        { json: json === true, online: online === true, reach: reach ?? [] },
      );
    });
  addGitHub(program);
  const auth = program
    .command("auth")
    .description("set up how agents reach their model, and try it")
    .argument("[way]", "api-key, bedrock, vertex or subscription; asked for when it is missing")
    .option(...DIR)
    .action(async (way: string | undefined, options: Options) => {
      const { setUp } = await import("./auth.ts");
      await setUp({ CLAUDE_HUB_DIR: options["dir"] }, way);
    });
  auth
    .command("status")
    .description("say which way is configured")
    .option(...DIR)
    .action(async (_options: Options, command: Command) => {
      const { showStatus } = await import("./auth.ts");
      await showStatus({ CLAUDE_HUB_DIR: command.optsWithGlobals<Options>()["dir"] });
    });
  auth
    .command("test")
    .description("try the way that is configured with one small call")
    .option(...DIR)
    .action(async (_options: Options, command: Command) => {
      const { tryConfigured } = await import("./auth.ts");
      await tryConfigured({ CLAUDE_HUB_DIR: command.optsWithGlobals<Options>()["dir"] });
    });
  await program.parseAsync(argv);
}

/** Who the hub is on GitHub. */
function addGitHub(program: Command): void {
  const github = program.command("github").description("make the hub a GitHub App, and look at it");
  github
    .command("setup")
    .description("make the App with one page in a browser, and keep its keys")
    .requiredOption("--hub-url <url>", "where GitHub reaches the hub, as https://HOST")
    .option("--organization <name>", "the organisation that owns the App, rather than you")
    .option("--server <url>", "a GitHub Enterprise Server (GITHUB_SERVER_URL)")
    .option("--name <name>", "the App's name, by which it is mentioned; else GitHub asks for it")
    .option("--port <number>", "port of the page on loopback; any free one when it is missing")
    .option("--again", "although the hub is an App already")
    .option(...DIR)
    .action(async ({ dir, again, ...options }: SetupOptions) => {
      const { setUpGitHub } = await import("./github.ts");
      await setUpGitHub({ CLAUDE_HUB_DIR: dir }, { ...options, again: again === true });
    });
  github
    .command("status")
    .description("ask GitHub who the hub is there, and what is missing")
    .option(...DIR)
    .action(async ({ dir }: Options) => {
      const { showGitHub } = await import("./github.ts");
      await showGitHub({ CLAUDE_HUB_DIR: dir });
    });
}
