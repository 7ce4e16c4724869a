import type { EgressRule } from "../../core/egress.ts";
import type { Repository } from "../../core/repository.ts";
import type { RepositorySettingsReader } from "../git/repository-settings.ts";

/** What a repository adds to the list of hosts, and one sentence why it adds nothing although it wants to. */
export interface RepositoryRules {
  rules: readonly EgressRule[];
  fault: string | null;
}

const NOTHING: RepositoryRules = { rules: [], fault: null };

/**
 * The hosts that a repository adds by its settings.
 *
 * @param repositories `owner/name`, `owner/*` or `*`: those whose settings count here.
 */
export function createRepositoryRules(options: {
  repositories: readonly string[];
  settingsOf: RepositorySettingsReader;
}): (repository: Repository) => Promise<RepositoryRules> {
  function counts(repository: Repository): boolean {
    const name = repository.toLowerCase();
    return options.repositories.some((pattern) => {
      const text = pattern.toLowerCase();
      return (
        text === "*" || text === name || (text.endsWith("/*") && name.startsWith(text.slice(0, -1)))
      );
    });
  }

  return async (repository) => {
    if (!counts(repository)) return NOTHING;
    const { settings, fault } = await options.settingsOf(repository);
    return { rules: settings.egress, fault };
  };
}
