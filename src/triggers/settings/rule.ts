import {
  REPOSITORY_SETTINGS_BYTES as MAX_BYTES,
  REPOSITORY_SETTINGS_PATH as PATH,
} from "../../core/repository-settings.ts";
import type { SettingsFault } from "../../core/repository-file.ts";
import type { ForgeRepository } from "../../forge/forge.ts";
import type { TriggerDeps } from "../deps.ts";
import { isAboutThread } from "../payload.ts";
import type { ForgeEvent } from "../payload.ts";
import { fenced } from "../report/neutralise.ts";
import type { Decision, Rule } from "../rule.ts";
import type { Outcome } from "../worker.ts";
import { settingsAt } from "./source.ts";

const NAME = "claude-hub settings";
const CHECKED = new Set(["opened", "synchronize", "reopened"]);

/** Says whether a repository's settings fit: on pull requests that change them, and where the default branch got others. */
export const settingsRule: Rule = {
  name: "settings",
  async decide(deps, repository, event) {
    if (event.event === "push") return await pushed(deps, repository, event);
    if (event.event !== "pull_request" || !CHECKED.has(event.action)) return null;
    if (!isAboutThread(event)) return null;
    const { number } = event;
    const { head, state } = await repository.pullRequest(number);
    if (state !== "open") return "the pull request is closed";
    const files = await repository.files(number);
    const changed = files.find(({ path }) => path === PATH);
    if (changed === undefined || changed.status === "removed") return `${PATH} is not changed`;
    return {
      would: `says whether ${PATH} fits`,
      async act() {
        const { faults } = await settingsAt(repository, head.sha);
        const isTold = await tellCheck(repository, head.sha, faults);
        if (!isTold && faults.length > 0)
          await repository.say(`settings:${number}`, { number }, commentOf(faults));
        return done(faults);
      },
    };
  },
};

/** On the default branch it counts from now on. */
async function pushed(
  deps: TriggerDeps,
  repository: ForgeRepository,
  { payload, repository: { name } }: ForgeEvent,
): Promise<Decision | null> {
  const { ref, before, after } = payload;
  if (ref == null || before == null || after == null || isNothing(after)) return null;
  const { defaultBranch } = await repository.facts();
  if (ref !== `refs/heads/${defaultBranch}`) return "it is not the default branch";
  return {
    would: `reads ${PATH} anew`,
    async act() {
      deps.settingsFor.drop(name);
      const [old, now] = [
        isNothing(before) ? null : await textAt(repository, before),
        await textAt(repository, after),
      ];
      if (old === now) return { state: "ignored", outcome: `${PATH} is not changed` };
      const { faults } = await settingsAt(repository, after);
      await tellCheck(repository, after, faults);
      return done(faults);
    },
  };
}

function isNothing(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** Null: there is none; a file that is too large is like no other. */
async function textAt(repository: ForgeRepository, sha: string): Promise<string | null> {
  const file = await repository.file(PATH, sha, MAX_BYTES);
  return file === null ? null : (file.text ?? sha);
}

/** False: the bot may not write checks. */
async function tellCheck(
  repository: ForgeRepository,
  sha: string,
  faults: readonly SettingsFault[],
): Promise<boolean> {
  const fits = faults.length === 0;
  const made = await repository.check(`settings:${sha}`, {
    name: NAME,
    sha,
    status: "completed",
    conclusion: fits ? "success" : "failure",
    title: fits ? "The settings fit" : "The settings do not fit",
    summary: fits ? `\`${PATH}\` can be used.` : commentOf(faults),
    annotations: faults.map(({ message, line }) => ({
      path: PATH,
      startLine: line,
      endLine: line,
      level: "failure",
      message,
    })),
  });
  return made !== null;
}

function commentOf(faults: readonly SettingsFault[]): string {
  const lines = faults.map(({ message, line }) => `line ${line}: ${message}`);
  return [
    `\`${PATH}\` does not fit, and nothing of it will count:`,
    fenced(lines.join("\n")),
    "On the default branch such a file lets only those ask the bot who maintain the repository, and has it begin nothing by itself.",
  ].join("\n\n");
}

function done(faults: readonly SettingsFault[]): Outcome {
  return { state: "done", outcome: `${PATH} ${faults.length === 0 ? "fits" : "does not fit"}` };
}
