import {
  REPOSITORY_SETTINGS_BYTES as MAX_BYTES,
  REPOSITORY_SETTINGS_PATH as PATH,
} from "../../core/repository-settings.ts";
import type { SettingsFault } from "../../core/repository-file.ts";
import { vainWishes } from "../../core/repository-wishes.ts";
import type { Repository } from "../../core/repository.ts";
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
        const reading = await readAt(deps, repository, event.repository.name, head.sha);
        const isTold = await tellCheck(repository, head.sha, reading);
        if (!isTold && reading.verdict !== "fits")
          await repository.say(`settings:${number}`, { number }, wordsOf(reading));
        return done(reading);
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
      const reading = await readAt(deps, repository, name, after);
      await tellCheck(repository, after, reading);
      return done(reading);
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

interface Reading {
  verdict: "fits" | "is partly not allowed" | "does not fit";
  /** What is wrong with it, or is asked for in vain. */
  faults: SettingsFault[];
}

async function readAt(
  deps: TriggerDeps,
  repository: ForgeRepository,
  name: Repository,
  sha: string,
): Promise<Reading> {
  const { settings, faults, lineOf } = await settingsAt(repository, sha);
  if (faults.length > 0) return { verdict: "does not fit", faults };
  const vain = vainWishes(deps.settingsFor.allowed, name, settings).map(({ path, message }) => ({
    message,
    line: lineOf(path),
  }));
  return { verdict: vain.length > 0 ? "is partly not allowed" : "fits", faults: vain };
}

/** As GitHub shows it. */
const VERDICTS = {
  fits: {
    conclusion: "success",
    title: "The settings fit",
    words: `\`${PATH}\` can be used.`,
  },
  "is partly not allowed": {
    conclusion: "neutral",
    title: "Not all of the settings is allowed here",
    words: `\`${PATH}\` can be used, but for what whoever runs the bot does not allow:`,
  },
  "does not fit": {
    conclusion: "failure",
    title: "The settings do not fit",
    words: `\`${PATH}\` does not fit, and nothing of it will count:`,
  },
} as const;

/** False: the bot may not write checks. */
async function tellCheck(
  repository: ForgeRepository,
  sha: string,
  reading: Reading,
): Promise<boolean> {
  const { conclusion, title } = VERDICTS[reading.verdict];
  const made = await repository.check(`settings:${sha}`, {
    name: NAME,
    sha,
    status: "completed",
    conclusion,
    title,
    summary: wordsOf(reading),
    annotations: reading.faults.map(({ message, line }) => ({
      path: PATH,
      startLine: line,
      endLine: line,
      level: conclusion === "failure" ? "failure" : "warning",
      message,
    })),
  });
  return made !== null;
}

function wordsOf({ verdict, faults }: Reading): string {
  const lines = faults.map(({ message, line }) => `line ${line}: ${message}`);
  return [
    VERDICTS[verdict].words,
    ...(lines.length === 0 ? [] : [fenced(lines.join("\n"))]),
    ...(verdict === "does not fit" ? [WHILE_BROKEN] : []),
  ].join("\n\n");
}
const WHILE_BROKEN =
  "On the default branch such a file lets only those ask the bot who maintain the repository, and has it begin nothing by itself.";

function done({ verdict }: Reading): Outcome {
  return { state: "done", outcome: `${PATH} ${verdict}` };
}
