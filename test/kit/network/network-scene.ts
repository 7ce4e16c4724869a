import { createInterface } from "node:readline";
import { join } from "node:path";
import { createTestNetwork } from "./network.ts";
import { SceneAnswer, Sighting } from "./network-messages.ts";
import type { SceneRequest, SceneSettings } from "./network-messages.ts";
import { standIn } from "../agent/stand-in.ts";
import type { StandInStep } from "../agent/stand-in.ts";
import { waitFor } from "../wait.ts";

/** A hub with real sandboxes, and a world around it that only exists on this machine. */
export interface NetworkScene extends AsyncDisposable {
  /** Has a session do this, and answers how it ended. */
  session(steps: StandInStep[], repository?: string): Promise<SceneAnswer>;
  /** Everything that has reached the world so far. */
  sightings: readonly Sighting[];
}

/** Null: no network namespace can be made here. */
export async function openNetworkScene(settings: SceneSettings): Promise<NetworkScene | null> {
  const network = await createTestNetwork();
  if (network === null) return null;
  const sightings: Sighting[] = [];
  const answers = new Map<number, SceneAnswer>();
  const ready = new Set<string>();

  const world = network.node("world", join(import.meta.dirname, "network-world.ts"));
  createInterface({ input: world.stdout }).on("line", (line) => {
    if (line === READY) ready.add("world");
    else sightings.push(Sighting.parse(JSON.parse(line)));
  });
  const hub = network.node("hub", join(import.meta.dirname, "network-hub.ts"), [
    JSON.stringify(settings),
  ]);
  createInterface({ input: hub.stdout }).on("line", (line) => {
    if (line === READY) ready.add("hub");
    else {
      const answer = SceneAnswer.parse(JSON.parse(line));
      answers.set(answer.id, answer);
    }
  });
  await waitFor(() => ready.size === 2 || hub.exitCode !== null, {
    timeoutMs: 60_000,
    what: "the hub and the world",
  });
  if (ready.size < 2) {
    await network[Symbol.asyncDispose]();
    throw new Error(`the hub in its namespace ended with ${hub.exitCode}`);
  }

  let count = 0;
  return {
    sightings,
    async session(steps, repository = "octo/greeter") {
      const id = (count += 1);
      const request: SceneRequest = { id, requirements: `Work.\n${standIn(...steps)}`, repository };
      hub.stdin.write(`${JSON.stringify(request)}\n`);
      return await waitFor(() => answers.get(id), {
        timeoutMs: 90_000,
        what: `the end of session ${id}`,
      });
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

const READY = JSON.stringify({ ready: true });
