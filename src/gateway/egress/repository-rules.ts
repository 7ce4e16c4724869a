import { z } from "zod";
import type { Logger } from "pino";
import { EgressRule } from "../../core/egress.ts";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { Mirror } from "../git/mirror.ts";
import { gitEnvironment, runGit } from "../git/process.ts";

const PATH = ".github/claude-hub.yml";
const MAX_BYTES = 65_536;
const MAX_RULES = 100;
const MAX_AGE_MS = 60_000;
const MAX_KNOWN = 1_000;
const GIT_MS = 10_000;

/** What a repository adds to the list of hosts, and one sentence why it adds nothing although it wants to. */
export interface RepositoryRules {
  rules: readonly EgressRule[];
  fault: string | null;
}

const NOTHING: RepositoryRules = { rules: [], fault: null };

/** Other keys of the file belong to others. An address is never a repository's to open. */
const File = z.object({
  egress: z
    .array(EgressRule.refine(({ isAddress }) => !isAddress, "is an address"))
    .max(MAX_RULES)
    .default([]),
});

/**
 * Reads the hosts that a repository adds, from its default branch alone: the branch that a session works on, or that
 * anybody else may have pushed, has no say.
 *
 * @param repositories `owner/name`, `owner/*` or `*`: those whose file counts.
 */
export function createRepositoryRules(options: {
  repositories: readonly string[];
  mirror: Pick<Mirror, "dir" | "freshen">;
  environment: Readonly<Record<string, string>>;
  log: Logger;
}): (repository: Repository) => Promise<RepositoryRules> {
  const known = new Map<Repository, { sha: string; rules: RepositoryRules }>();

  function counts(repository: Repository): boolean {
    const name = repository.toLowerCase();
    return options.repositories.some((pattern) => {
      const text = pattern.toLowerCase();
      return (
        text === "*" || text === name || (text.endsWith("/*") && name.startsWith(text.slice(0, -1)))
      );
    });
  }

  async function git(repository: Repository, args: string[]): Promise<string> {
    const env = { ...gitEnvironment(options.environment), GIT_DIR: options.mirror.dir(repository) };
    const run = { args, env, timeoutMs: GIT_MS, maxOutputBytes: 2 * MAX_BYTES };
    return (await runGit(run)).stdout;
  }

  async function read(repository: Repository, sha: string): Promise<RepositoryRules> {
    const entry = await git(repository, ["ls-tree", "-l", sha, "--", PATH]);
    // A link, or a directory, is not this file.
    const [, object, size] = /^100(?:644|755) blob (\w+) +(\d+)\t/.exec(entry) ?? [];
    if (object === undefined) return NOTHING;
    if (Number(size) > MAX_BYTES) return { rules: [], fault: `${PATH} is too large` };
    return await parse(await git(repository, ["cat-file", "blob", object]));
  }

  return async (repository) => {
    if (!counts(repository)) return NOTHING;
    try {
      const { defaultBranch, refs } = await options.mirror.freshen(repository, MAX_AGE_MS);
      const sha = refs.get(`refs/heads/${defaultBranch}`);
      if (sha === undefined) return NOTHING;
      const found = known.get(repository);
      if (found?.sha === sha) return found.rules;
      const rules = await read(repository, sha);
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(repository, { sha, rules });
      return rules;
    } catch (error) {
      options.log.warn({ repository, err: error }, "egress rules of a repository cannot be read");
      const why = error instanceof HubError ? `: ${error.message}` : "";
      return { rules: [], fault: `${PATH} cannot be read${why}` };
    }
  };
}

async function parse(text: string): Promise<RepositoryRules> {
  // Most hubs never need it.
  const { parse: parseYaml } = await import("yaml");
  try {
    const value: unknown = parseYaml(text, { maxAliasCount: 100, logLevel: "error" });
    const file = File.safeParse(value ?? {});
    if (file.success) return { rules: file.data.egress, fault: null };
    const [issue] = file.error.issues;
    return { rules: [], fault: `${PATH} does not fit: ${issue?.message ?? ""}`.slice(0, 300) };
  } catch {
    return { rules: [], fault: `${PATH} is not YAML` };
  }
}
