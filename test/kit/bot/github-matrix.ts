/** One row of what the bot does about events: the event, under which condition, and what is done. */
interface Words {
  on: string;
  when: string;
  does: string;
}

/** Which test shows it: one with the real agent in `github-matrix.test.ts`, or one elsewhere. */
export type Row = Words & ({ play: string } | { file: string; test: string });

const bot = "test/e2e/github.test.ts";
const checks = "test/e2e/github-checks.test.ts";
const labels = "test/e2e/github-labels.test.ts";
const places = "test/e2e/places.test.ts";
const repair = "test/e2e/github-repair.test.ts";
const report = "test/e2e/github-report.test.ts";
const review = "test/e2e/github-review.test.ts";
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
    when: "mention with `plan` on an issue, then with `go`",
    does: "a plan that is shown, then its tasks, an integration and a draft pull request",
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
    on: "pull_request_review_comment.edited",
    when: "a box of the bot's answer on lines is ticked",
    does: "what the box says",
    file: "src/triggers/heard.test.ts",
    test: "the boxes of an answer on lines are boxes, too",
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
    on: "pull_request.opened, ready_for_review, reopened",
    when: "no draft, reviews are on",
    does: "waits for the checks of its head, without any for a while only",
    file: review,
    test: "time decides where checks do not: none come, or they do not end",
  },
  {
    on: "pull_request.synchronize",
    when: "a review of what it was is under way",
    does: "ends that, and begins anew with the new head",
    file: review,
    test: "a push ends the review of what it was, and what it is now is reviewed",
  },
  {
    on: "pull_request.converted_to_draft, closed",
    when: "it waits for its checks",
    does: "is not reviewed",
    file: review,
    test: "drafts and what was closed are left alone",
  },
  {
    on: "check_suite, check_run, status, workflow_run",
    when: "all checks of the head are green",
    does: "one review, of that head",
    file: review,
    test: "what is green is reviewed once, at its head, and nothing else is said",
  },
  {
    on: "check_suite, check_run, status, workflow_run",
    when: "checks fail or go on",
    does: "no review; all are read again at the next event",
    file: review,
    test: "what is red, or not through, is not reviewed; a status alone is enough",
  },
  {
    on: "check_suite, check_run, status, workflow_run",
    when: "checks of the bot's own pull request fail",
    does: "mends them on the same branch",
    file: repair,
    test: "red checks of the bot's own pull request are mended, and green ones left alone",
  },
  {
    on: "check_suite, check_run, status, workflow_run",
    when: "the same failure again, or the third attempt was in vain",
    does: "says once what it could not do",
    file: repair,
    test: "the same failure after a repair ends it, and that is told once",
  },
  {
    on: "check_run.rerequested",
    when: "the bot's check, by somebody who may ask",
    does: "such a session again",
    file: report,
    test: "a session on a pull request has one check, also when the hub is killed, and it can be run again",
  },
  {
    on: "check_run.requested_action",
    when: "Fix on the bot's check, by somebody who may ask",
    does: "what `@bot fix` does there; for others nothing",
    file: checks,
    test: "a review has a check on what it looked at; its Fix is for who may ask, and the check of the work follows the head",
  },
  {
    on: "pull_request.synchronize",
    when: "a session goes on there",
    does: "concludes its check on the old head, and has one on the new head",
    file: checks,
    test: "a review has a check on what it looked at; its Fix is for who may ask, and the check of the work follows the head",
  },
  {
    on: "issue_comment.deleted",
    when: "the question of a session that waits",
    does: "takes it back",
    file: places,
    test: "a question that is deleted before its work begins is taken back; later it is not",
  },
  {
    on: "pull_request_review_comment.deleted",
    when: "the question of a session that waits, and nothing else of that review asks",
    does: "takes it back",
    file: places,
    test: "a question on a line is taken back with its comment, and not while another of its review asks",
  },
  {
    on: "installation, installation_repositories",
    when: "deleted, suspended, or without the repository",
    does: "ends the work there",
    file: places,
    test: "where the App is taken away, suspended or uninstalled, work is ended",
  },
  {
    on: "repository.renamed, transferred",
    when: "any",
    does: "what was asked there follows",
    file: places,
    test: "work in a repository that is renamed goes on, and is told where it is now",
  },
  {
    on: "repository.deleted, archived",
    when: "any",
    does: "ends the work there",
    file: places,
    test: "a repository that is deleted or archived ends what was at work there",
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
