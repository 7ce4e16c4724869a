import { effective, whileBroken } from "../../core/bot-settings.ts";
import type { BotSettings } from "../../core/bot-settings.ts";
import type { Clock } from "../../core/clock.ts";
import {
  faultSentence,
  NO_REPOSITORY_FILE,
  readRepositoryFile,
} from "../../core/repository-file.ts";
import type { RepositoryFile } from "../../core/repository-file.ts";
import type { Repository } from "../../core/repository.ts";
import type { Allowed } from "../../core/repository-wishes.ts";
import {
  REPOSITORY_SETTINGS_BYTES as MAX_BYTES,
  REPOSITORY_SETTINGS_PATH as PATH,
} from "../../core/repository-settings.ts";
import type { Forge, ForgeRepository } from "../../forge/forge.ts";

/** What the bot may do in a repository: the operator's settings, and its own file on the default branch. */
export interface SettingsSource {
  /** Without what repositories say. */
  operator: BotSettings;
  /** What repositories may choose among. */
  allowed: Allowed;
  /** Fails as the forge does: what cannot be read for a while is worth another try. */
  of(repository: Repository): Promise<BotSettings>;
  /** The file may have changed. */
  drop(repository: Repository): void;
}

/** Another hub may have been told of the change. */
const MAX_AGE_MS = 60_000;
const MAX_KNOWN = 5_000;

export function createSettingsSource(options: {
  forge: Pick<Forge, "repository">;
  operator: BotSettings;
  allowed: Allowed;
  clock: Clock;
}): SettingsSource {
  const { forge, operator, allowed, clock } = options;
  const known = new Map<Repository, { at: number; settings: Promise<BotSettings> }>();

  async function read(repository: Repository): Promise<BotSettings> {
    const { settings, faults } = await settingsAt(forge.repository(repository), null);
    const fault = faultSentence(faults);
    return fault === null ? effective(operator, settings) : whileBroken(operator, fault);
  }

  return {
    operator,
    allowed,
    of(repository) {
      const now = clock.now().getTime();
      const found = known.get(repository);
      if (found !== undefined && now - found.at < MAX_AGE_MS) return found.settings;
      if (known.size >= MAX_KNOWN) known.clear();
      const entry = { at: now, settings: read(repository) };
      known.set(repository, entry);
      entry.settings.catch(() => {
        if (known.get(repository) === entry) known.delete(repository);
      });
      return entry.settings;
    },
    drop(repository) {
      known.delete(repository);
    },
  };
}

/** @param ref A commit; null: the default branch. */
export async function settingsAt(
  repository: Pick<ForgeRepository, "file">,
  ref: string | null,
): Promise<RepositoryFile> {
  const file = await repository.file(PATH, ref, MAX_BYTES);
  if (file === null) return NO_REPOSITORY_FILE;
  if (file.text !== null) return await readRepositoryFile(file.text);
  return { ...NO_REPOSITORY_FILE, faults: [{ message: "is too large", line: 1 }] };
}
