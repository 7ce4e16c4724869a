import { dirname } from "node:path";
import { bootOf } from "../boot.ts";
import type { ControlGroups } from "../control-groups.ts";
import type { LocalKind } from "../local-runtime.ts";
import type { RuntimeHost } from "../runtime.ts";
import { searchPath } from "../search-path.ts";
import { INSIDE } from "./confinement.ts";
import { compose } from "./command.ts";
import type { Recipe } from "./command.ts";
import { findRecipe } from "./recipe.ts";

/**
 * `--die-with-parent` ends the inside with the runner, and with the process outside; but it also binds bwrap to its own
 * parent, which must not be the hub, for sandboxes outlive that. So a shell stays as the parent.
 */
const STAY = '"$@"; exit $?';

/**
 * Linux namespaces made by bwrap(1): no network, a read-only system, nothing of the hub's files but the directory of the
 * gateway's socket, processes that end together, no rights.
 */
export function createBubblewrapKind(host: RuntimeHost, groups: ControlGroups): LocalKind {
  let found: Promise<Recipe> | undefined;

  /** The recipe is kept; a failure is not, for it may be mended meanwhile. */
  async function recipe(fresh: boolean): Promise<Recipe> {
    const looking = found === undefined || fresh ? findRecipe(host, groups) : found;
    found = looking;
    try {
      return await looking;
    } catch (error) {
      if (found === looking) found = undefined;
      throw error;
    }
  }

  return {
    name: "bubblewrap",
    async check() {
      try {
        const { prlimit } = await recipe(true);
        const { memoryLimit, processLimit } = await groups.abilities();
        return {
          available: true,
          abilities: {
            isolation: "namespaces",
            memoryLimit,
            processLimit: processLimit || prlimit,
          },
        };
      } catch (error) {
        return { available: false, reason: error instanceof Error ? error.message : String(error) };
      }
    },
    async prepare(spec, dir) {
      const { options, command } = await compose(await recipe(false), host, { ...spec, dir });
      return {
        // Options go by a pipe: everybody inside can read the command line, and the hub's paths are nobody's business.
        argv: [
          "/bin/sh",
          "-c",
          STAY,
          "sh",
          "bwrap",
          "--args",
          "3",
          "--",
          ...command,
          host.nodePath,
          host.runnerPath,
          spec.name,
        ],
        extra: options.map((option) => `${option}\0`).join(""),
        boot: bootOf(host, spec, INSIDE),
      };
    },
    environment: () => ({ PATH: searchPath(dirname(host.nodePath)), HOME: INSIDE.home }),
  };
}
