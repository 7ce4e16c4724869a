import type { EgressPreset, EgressRule } from "../../core/egress.ts";
import type { Repository } from "../../core/repository.ts";
import { isAmong } from "../../core/repository-wishes.ts";
import type { RepositorySettingsReader } from "../git/repository-settings.ts";

/** What a repository adds to the list of hosts, and one sentence why it adds nothing although it wants to. */
export interface RepositoryRules {
  rules: readonly EgressRule[];
  /** Those of all that are open to it that a person has to allow. */
  asks: readonly EgressRule[];
  fault: string | null;
}

/**
 * The hosts that a repository adds by its settings: its own, where the operator lets it, and those of presets that the
 * operator lets every repository choose.
 *
 * @param repositories `owner/name`, `owner/*` or `*`: those whose own hosts count.
 * @param presets Those that may be chosen.
 */
export function createRepositoryRules(options: {
  repositories: readonly string[];
  presets: ReadonlyMap<EgressPreset, readonly EgressRule[]>;
  settingsOf: RepositorySettingsReader;
}): (repository: Repository) => Promise<RepositoryRules> {
  const { repositories, presets, settingsOf } = options;
  return async (repository) => {
    const mayAdd = isAmong(repositories, repository);
    const { settings, fault } = await settingsOf(repository);
    const own = mayAdd ? settings.egress : [];
    const chosen = settings.egressPresets.flatMap((name) => presets.get(name) ?? []);
    return { rules: [...own, ...chosen], asks: settings.ask?.hosts ?? [], fault };
  };
}
