/** One row of what the bot does about events: the event, under which condition, and what is done. */
interface Words {
  on: string;
  when: string;
  does: string;
}

/** Which test shows it: one with the real agent in `github-matrix.test.ts`, or one elsewhere. */
export type Row = Words & ({ play: string } | { file: string; test: string });

const bot = "test/e2e/github.test.ts";
const labels = "test/e2e/github-labels.test.ts";
const settings = "test/e2e/github-settings.test.ts";
const threads = "test/e2e/github-threads.test.ts";

/** Everything that the bot listens to. `play` names a scene of `github-matrix.test.ts`. */
export const MATRIX: readonly Row[] = [
  {
    on: "issue_comment.created",
    when: "mention on an issue, by somebody who may write",
    does: "👀, comment, session on a new branch, draft pull request",
    play: "a comment on an issue",
  },
  {
    on: "issue_comment.created",
    when: "mention on a pull request",
    does: "👀, comment, session on the pull request's branch",
    play: "a comment on a pull request",
  },
  {
    on: "issue_comment.created",
    when: "mention with `plan`, then with `go`",
    does: "a plan and no changes, then the plan carried out in the same conversation",
    play: "a plan, and then its execution",
  },
  {
    on: "issue_comment.created",
    when: "mention with `review` on a pull request",
    does: "session that only reads",
    play: "a comment that asks for a review",
  },
  {
    on: "issue_comment.created",
    when: "mention by somebody who may not write",
    does: "one sign, no session",
    file: bot,
    test: "strangers get one sign, once, and no session",
  },
  {
    on: "issue_comment.created",
    when: "mention in code, quotations, other names",
    does: "nothing",
    file: bot,
    test: "what is no mention asks for nothing",
  },
  {
    on: "issue_comment.created",
    when: "the bot's own",
    does: "nothing",
    file: bot,
    test: "an agent's text calls nobody, and the bot's own writes ask for nothing",
  },
  {
    on: "issue_comment.created",
    when: "mention while a session works on the thread",
    does: "session that waits for it, with its conversation",
    file: bot,
    test: "who asks again on the same thread waits for the first, and goes on with its conversation",
  },
  {
    on: "issue_comment.created",
    when: "mention with `label`",
    does: "labels that there are",
    file: labels,
    test: "who may ask has labels put on a pull request, too; others do not",
  },
  {
    on: "issue_comment.edited",
    when: "a mention that was not there before",
    does: "session",
    play: "a mention edited into a comment",
  },
  {
    on: "issue_comment.edited",
    when: "the box to try again is ticked",
    does: "session in the same conversation",
    play: "the box to try again",
  },
  {
    on: "issue_comment.edited",
    when: "the box to stop is ticked",
    does: "session cancelled",
    file: bot,
    test: "stop ends what is at work, by word, by box, and by closing",
  },
  {
    on: "issues.opened",
    when: "mention in title or text",
    does: "session",
    play: "a mention in an issue's own text",
  },
  {
    on: "issues.opened",
    when: "labels are put, or the repository wants them",
    does: "labels, by a session without tools",
    file: labels,
    test: "a stranger's issue gets labels that there are, and no word is said",
  },
  {
    on: "issues.edited, issues.reopened",
    when: "never looked at for labels",
    does: "labels, once",
    file: labels,
    test: "an issue from before is looked at when it is reopened or reworded, and each only once",
  },
  {
    on: "issues.labeled",
    when: "the trigger's label, by somebody who may write",
    does: "session",
    play: "the trigger's label",
  },
  {
    on: "issues.assigned",
    when: "the bot, by somebody who may write",
    does: "session",
    play: "the bot as assignee",
  },
  {
    on: "issues.closed, pull_request.closed",
    when: "a session works on the thread",
    does: "session cancelled",
    file: bot,
    test: "stop ends what is at work, by word, by box, and by closing",
  },
  {
    on: "pull_request.review_requested",
    when: "of the bot",
    does: "session that only reads",
    play: "the bot as reviewer",
  },
  {
    on: "pull_request_review.submitted",
    when: "mention in its text or its comments",
    does: "one session for all of it",
    play: "a review with comments",
  },
  {
    on: "pull_request_review.submitted",
    when: "changes requested of the bot's pull request, where that is wanted",
    does: "session on its branch",
    file: threads,
    test: "a review that requests changes of the bot's pull request is followed, and of nobody else's",
  },
  {
    on: "pull_request_review_comment.created",
    when: "mention",
    does: "session, answered in the conversation of the lines",
    play: "a comment on lines",
  },
  {
    on: "check_suite, check_run, status, workflow_run",
    when: "any",
    does: "all checks of the commit are read again",
    file: "src/triggers/checks/verdict.test.ts",
    test: "what failed, waits and passed is told",
  },
  {
    on: "push, pull_request",
    when: "the file of settings is changed",
    does: "it counts from the default branch, and a check tells whether it fits",
    file: settings,
    test: "a pull request that changes the file is told whether it fits, and changes nothing before it is merged",
  },
  {
    on: "any",
    when: "a repository has switched it off",
    does: "nothing",
    file: settings,
    test: "a repository switches triggers off, and calls its label otherwise",
  },
];
