// A hub with its forge and its model in a network namespace. Takes `{id, steps, repository?}` as JSON lines, has a session with
// these steps done, and answers `{id, status, error, events}`; ends with its standard input.
import { createInterface } from "node:readline";
import { z } from "zod";
import { createGitForge } from "../forge/git-forge.ts";
import { openHostListeners } from "../attacks/host-listeners.ts";
import { startHub } from "../hub/hub.ts";
import { SceneRequest, SceneSettings } from "./network-messages.ts";
import { createScriptedModel } from "../model/scripted-model.ts";
import { standInAgentPath } from "../agent/stand-in.ts";

const settings = SceneSettings.parse(JSON.parse(process.argv[2] ?? ""));
await using parts = new AsyncDisposableStack();
parts.use(await openHostListeners());
const forge = parts.use(await createGitForge({ token: "dummy-forge-token" }));
for (const [name, files] of Object.entries(settings.repositories))
  await forge.repository(name, files);
const model = parts.use(
  await createScriptedModel({ apiKey: "dummy-key", scenario: { conversations: [] } }),
);
const hub = parts.use(
  await startHub({
    runtime: settings.runtime,
    agentPath: standInAgentPath,
    forge: { url: forge.url, token: "dummy-forge-token" },
    model: { url: model.url, apiKey: "dummy-key" },
    env: settings.env,
  }),
);
say({ ready: true });
const running = new Set<Promise<void>>();
for await (const line of createInterface({ input: process.stdin })) {
  const work = perform(SceneRequest.parse(JSON.parse(line))).finally(() => running.delete(work));
  running.add(work);
}
await Promise.allSettled(running);

async function perform({ id, requirements, repository }: SceneRequest): Promise<void> {
  try {
    const made = await hub.create({
      type: "implementation",
      project: { repository, requirements },
    });
    await hub.start(made.id);
    const ended = await hub.until(made.id);
    const events = await hub.events(made.id);
    say({ id, status: ended.status, error: ended.error ?? null, events });
  } catch (error) {
    say({ id, status: "failed", error: z.coerce.string().parse(error), events: [] });
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
