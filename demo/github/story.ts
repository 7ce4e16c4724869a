import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LocalApp, LocalGitHub } from "../../test/kit/github/github.ts";
import type { LocalRepository } from "../../test/kit/github/repositories.ts";
import { runGit } from "../../test/kit/forge/git.ts";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { waitFor } from "../../test/kit/wait.ts";

/** Where the story plays: a GitHub with one repository, on which the hub is the bot. */
export interface Stage {
  github: LocalGitHub;
  app: LocalApp;
  repository: LocalRepository;
  /** As people call the bot. */
  bot: string;
}

/** Who watches, while it happens. */
export interface Audience {
  did(who: string, what: string): void;
  /** What the bot's comment on an issue or pull request says now. */
  comment(number: number, body: string): void;
}

/** What the story came to, for whoever looks at GitHub afterwards. */
export interface Told {
  issue: number;
  question: number;
  pull: number;
  branch: string;
  /** From the question, in ms. */
  heardMs: number;
  startedMs: number;
  doneMs: number;
}

const PERSON = "ada";
const LONG_MS = 90_000;

/** From an issue to a merge: a person asks, the bot works, a person decides. */
export async function tellStory(stage: Stage, audience: Audience): Promise<Told> {
  const asked = await ask(stage, audience);
  const worked = await watchWork(stage, audience, asked);
  const { number: pull, branch } = await pullRequest(stage, audience, asked.issue);
  await stage.repository.setDraft(PERSON, pull, false);
  audience.did(PERSON, `has looked at it, and marks #${pull} ready`);
  await runChecks(stage, audience, branch);
  await review(stage, audience, pull);
  await stage.github.as(PERSON).merge(stage.repository.name, pull);
  audience.did(PERSON, `merges #${pull}; a person does that, never the bot`);
  const { issue, question, askedAt } = asked;
  const { heardAt, startedAt, doneAt } = worked;
  return {
    issue,
    question,
    pull,
    branch,
    heardMs: heardAt - askedAt,
    startedMs: startedAt - askedAt,
    doneMs: doneAt - askedAt,
  };
}

async function ask({ github, repository, bot }: Stage, audience: Audience) {
  const title = "Nobody takes leave";
  const body = "The library greets people, but it never says goodbye to them.";
  const { number: issue } = await github.as(PERSON).openIssue(repository.name, { title, body });
  audience.did(PERSON, `opens issue #${issue}: ${title}`);
  const words = `${bot} please add a farewell, in the style of greet`;
  const askedAt = performance.now();
  const { id: question } = await github.as(PERSON).comment(repository.name, issue, words);
  audience.did(PERSON, `writes: ${words}`);
  return { issue, question, askedAt };
}

/** The sign that it was heard, then the one comment as it changes, until it says how it ended. */
async function watchWork(
  { app, repository }: Stage,
  audience: Audience,
  { issue, question }: { issue: number; question: number },
) {
  const comments = () => repository.state.comments.filter((one) => one.issue.number === issue);
  const reacted = () =>
    comments()
      .find(({ id }) => id === question)
      ?.reactions.some((one) => one.user === app.bot);
  const said = () => comments().findLast(({ user }) => user === app.bot)?.body;
  await waitFor(reacted, { timeoutMs: LONG_MS, what: "the sign that it was heard" });
  const heardAt = performance.now();
  audience.did(app.bot.login, "has heard it: 👀");
  await waitFor(said, { timeoutMs: LONG_MS, what: "the bot's comment" });
  const startedAt = performance.now();
  let shown = "";
  await waitFor(
    () => {
      const body = said() ?? "";
      if (body !== shown) audience.comment(issue, body);
      shown = body;
      return /^\*\*(Done|Failed|Stopped)\*\*/.test(body);
    },
    { timeoutMs: LONG_MS, what: "the bot to come to an end" },
  );
  return { heardAt, startedAt, doneAt: performance.now() };
}

async function pullRequest({ app, repository }: Stage, audience: Audience, issue: number) {
  const opened = repository.state.issues.find(
    ({ user, pull, body }) => pull !== null && user === app.bot && body.includes(`Fixes #${issue}`),
  );
  const { number, title, pull } = opened ?? {};
  if (number === undefined || pull == null)
    throw new Error(`the bot has opened no pull request; it says: ${wordsOf(repository, app)}`);
  const kind = pull.draft ? "draft pull request" : "pull request";
  audience.did(app.bot.login, `has opened ${kind} #${number}: ${title} (${pull.headRef})`);
  return { number, branch: pull.headRef };
}

/** The first line of the bot's newest comment. */
function wordsOf({ state }: LocalRepository, { bot }: LocalApp): string {
  return state.comments.findLast(({ user }) => user === bot)?.body.split("\n")[0] ?? "nothing";
}

/** What GitHub's Actions would do: the repository's own tests on what was pushed. */
async function runChecks({ repository }: Stage, audience: Audience, branch: string) {
  const run = await repository.runWorkflow({ ref: branch, by: PERSON, jobs: [{ name: "test" }] });
  await using dir = await createTempDir("checks");
  await runGit(["clone", "-q", "-b", branch, repository.dir, "it"], { cwd: dir.path });
  const cwd = join(dir.path, "it");
  const passed = await promisify(execFile)(process.execPath, ["--test"], { cwd, env: {} }).then(
    () => true,
    () => false,
  );
  await run.endJob({ name: "test", conclusion: passed ? "success" : "failure" });
  audience.did("CI", `runs the tests on ${branch}: ${passed ? "green" : "RED"}`);
}

async function review({ github, app, repository, bot }: Stage, audience: Audience, pull: number) {
  const words = `${bot} review`;
  await github.as(PERSON).comment(repository.name, pull, words);
  audience.did(PERSON, `writes on #${pull}: ${words}`);
  const told = await waitFor(
    () =>
      repository.state.comments.findLast(
        ({ issue, user, body }) =>
          issue.number === pull && user === app.bot && body.startsWith("**Done**"),
      )?.body,
    { timeoutMs: LONG_MS, what: "the bot's review" },
  );
  audience.did(app.bot.login, `has reviewed #${pull}`);
  audience.comment(pull, told);
}
