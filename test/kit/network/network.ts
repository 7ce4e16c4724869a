import { execFile, spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

const run = promisify(execFile);
const ip = (...args: string[]) => run("ip", args);

/** Addresses of the namespace that stands for the rest of the world. */
export const WORLD = {
  /** Answers names, and is the way to all others. */
  gateway: "198.18.0.2",
  public: "93.184.216.34",
  metadata: "169.254.169.254",
  private: "10.20.30.40",
} as const;

/** Two network namespaces with a cable between them and no way to anywhere else. */
export interface TestNetwork extends AsyncDisposable {
  /** Starts a Node.js program in one of them; it is ended with the network. */
  node(where: "hub" | "world", path: string, args?: string[]): NetworkProcess;
}

export type NetworkProcess = ChildProcessByStdio<Writable, Readable, null>;

/** Null: no namespace can be made here, which only root may. */
export async function createTestNetwork(): Promise<TestNetwork | null> {
  const id = randomBytes(3).toString("hex");
  const names = { hub: `chub-${id}`, world: `cworld-${id}` };
  const children: NetworkProcess[] = [];

  async function dispose(): Promise<void> {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "close");
      child.stdin.end();
      await ended;
    }
    // The cable goes with them.
    for (const name of Object.values(names)) await ip("netns", "del", name).catch(() => undefined);
  }

  try {
    for (const name of Object.values(names)) {
      await ip("netns", "add", name);
      await ip("-n", name, "link", "set", "lo", "up");
    }
    const { hub, world } = names;
    await ip(
      "-n",
      hub,
      "link",
      "add",
      "cable",
      "type",
      "veth",
      "peer",
      "name",
      "cable",
      "netns",
      world,
    );
    await ip("-n", hub, "addr", "add", "198.18.0.1/30", "dev", "cable");
    await ip("-n", world, "addr", "add", `${WORLD.gateway}/30`, "dev", "cable");
    for (const address of [WORLD.public, WORLD.metadata, WORLD.private])
      await ip("-n", world, "addr", "add", `${address}/32`, "dev", "lo");
    for (const name of [hub, world]) await ip("-n", name, "link", "set", "cable", "up");
    await ip("-n", hub, "route", "add", "default", "via", WORLD.gateway);
  } catch {
    await dispose();
    return null;
  }

  return {
    node(where, path, args = []) {
      const command = ["netns", "exec", names[where], process.execPath, path, ...args];
      const child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] });
      children.push(child);
      return child;
    },
    [Symbol.asyncDispose]: dispose,
  };
}
