import pino from "pino";
import { Secret } from "../src/core/secret.ts";
import { createGitHub as createForge } from "../src/forge/github/github.ts";
import type { Identity } from "../src/forge/github/tokens.ts";
import type { Written } from "../src/forge/github/writes.ts";
import { checksContract } from "./kit/forge/forge-checks-contract.ts";
import { forgeContract } from "./kit/forge/forge-contract.ts";
import type { ForgeScene } from "./kit/forge/forge-contract.ts";
import { createGitHub } from "./kit/github/github.ts";
import type { LocalGitHub } from "./kit/github/github.ts";

/** As the store keeps it, for one process. */
function createWritten(): Written {
  const known = new Map<string, { id: number; url: string } | null>();
  return {
    async begin(key) {
      const before = known.get(key);
      if (before === undefined) known.set(key, null);
      return before === undefined ? "never" : (before ?? "begun");
    },
    async done(key, written) {
      known.set(key, written);
    },
  };
}

async function openScene(
  identify: (github: LocalGitHub) => { identity: Identity; bot: string },
): Promise<ForgeScene> {
  await using parts = new AsyncDisposableStack();
  const github = parts.use(await createGitHub());
  const repository = await github.repository("octo/greeter", {
    files: { "a.txt": "a\n" },
    collaborators: { ada: "write", "hub-bot": "write" },
    labels: ["bug", "enhancement"],
  });
  const { identity, bot } = identify(github);
  const forge = createForge({
    apiUrl: github.apiUrl,
    identity,
    timeoutMs: 20_000,
    throttle: false,
    written: createWritten(),
    log: pino({ level: "silent" }),
  });
  const all = parts.move();
  return {
    forge,
    at: forge.repository("octo/greeter"),
    github,
    repository,
    bot,
    isApp: "appId" in identity,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const asApp = () =>
  openScene((github) => {
    const app = github.app();
    github.install(app, "octo");
    const identity = { appId: app.id, privateKey: new Secret(app.privateKey) };
    return { identity, bot: app.bot.login };
  });
forgeContract("github, as an App", asApp);
checksContract("github, as an App", asApp);

forgeContract("github, by a personal token", () =>
  openScene((github) => {
    const { login, token } = github.user("hub-bot");
    return { identity: { token: new Secret(token) }, bot: login };
  }),
);
