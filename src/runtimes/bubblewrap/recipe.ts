import { access, chmod, mkdir } from "node:fs/promises";
import { release } from "node:os";
import type { ControlGroups } from "../control-groups.ts";
import type { RuntimeHost, SandboxLimits } from "../runtime.ts";
import { compose, PRLIMIT } from "./command.ts";
import type { Recipe } from "./command.ts";
import type { Confinement } from "./confinement.ts";
import { findIdRange, mayBeMachineRoot } from "./identity.ts";
import { probe } from "./probe.ts";
import { programArguments, systemArguments } from "./system.ts";

const PROBE_LIMITS: SandboxLimits = { memoryBytes: 67_108_864, processes: 64 };

/** Tries the ways from the strongest on; rejects with the reason why the first one failed. */
export async function findRecipe(host: RuntimeHost, groups: ControlGroups): Promise<Recipe> {
  await mkdir(host.gatewayDir, { recursive: true });
  const system = await systemArguments();
  const programs = await programArguments(host);
  const prlimit = await needsPrlimit(groups);
  const errors: unknown[] = [];
  for (const confinement of await waysOf()) {
    // The directory holds the socket only; the one above keeps others on the machine out.
    if (confinement.kind === "own-user") await chmod(host.gatewayDir, 0o755);
    const recipe = { confinement, system, programs, prlimit };
    try {
      await probe(host, (name, dir) => compose(recipe, host, { name, dir, limits: PROBE_LIMITS }));
      return recipe;
    } catch (error) {
      errors.push(error);
    }
  }
  throw (
    errors[0] ??
    new Error("the hub is root, and there are no other users that sandboxes could run as")
  );
}

async function waysOf(): Promise<Confinement[]> {
  const range = await findIdRange();
  const ownUser: Confinement[] = range === null ? [] : [{ kind: "own-user", range }];
  if (await mayBeMachineRoot()) return ownUser;
  return [
    ...ownUser,
    { kind: "user-namespace", sealed: true },
    { kind: "user-namespace", sealed: false },
  ];
}

/**
 * Before Linux 5.14 the limit counted all processes of the hub's user, wherever they run; since then a user namespace
 * counts its own.
 */
async function needsPrlimit(groups: ControlGroups): Promise<boolean> {
  if ((await groups.abilities()).processLimit) return false;
  const [major = 0, minor = 0] = release().split(".").map(Number);
  if ((await findIdRange()) === null && (major < 5 || (major === 5 && minor < 14))) return false;
  return access(PRLIMIT).then(
    () => true,
    () => false,
  );
}
