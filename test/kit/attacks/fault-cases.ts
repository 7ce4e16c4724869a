import type { FaultSettings } from "../github/faults.ts";

/** How long the hub gives GitHub for an answer. */
export const TIMEOUT_MS = 2_000;
const COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
const COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}";
const PULLS = "/repos/{owner}/{repo}/pulls";
const EYES = "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
export const READ = { method: "GET", path: COMMENT };
const REACT = { method: "POST", path: EYES };
const SAY = { method: "POST", path: COMMENTS };
const EDIT = { method: "PATCH", path: COMMENT };
const OPEN = { method: "POST", path: PULLS };
const LATE = { delayMs: TIMEOUT_MS + 500, applied: true };

/** What happens once, in the course of work that ends in a pull request. */
export const PASSING: [string, FaultSettings][] = [
  ["500 at a read", { ...READ, status: 500 }],
  ["a cut connection at a read", { ...READ, reset: true }],
  ["a limit at a read", { ...READ, status: 429, retryAfter: 1 }],
  ["a refused credential at a read", { ...READ, status: 401 }],
  ["502 at a reaction that is made", { ...REACT, status: 502, applied: true }],
  ["a secondary limit at a reaction", { ...REACT, status: 403, retryAfter: 1 }],
  ["a limit at a reaction that outlasts the work", { ...REACT, status: 403, retryAfter: 120 }],
  ["500 at a comment", { ...SAY, status: 500 }],
  ["502 at a comment that is made", { ...SAY, status: 502, applied: true }],
  ["a cut connection at a comment that is made", { ...SAY, reset: true, applied: true }],
  ["a late answer to a comment that is made", { ...SAY, ...LATE }],
  ["a limit at a comment", { ...SAY, status: 403, retryAfter: 1 }],
  ["a cut connection at an edit", { ...EDIT, reset: true }],
  ["502 at a pull request that is made", { ...OPEN, status: 502, applied: true }],
  ["a late answer to a pull request that is made", { ...OPEN, ...LATE }],
];

/** What happens each time, and what the bot's one comment says then; null: it can say nothing. */
export const LASTING: [string, FaultSettings, RegExp | null][] = [
  ["422 at a pull request", { ...OPEN, status: 422 }, /^\*\*Done\*\*[^]*open a pull request/],
  ["403 at a pull request", { ...OPEN, status: 403 }, /^\*\*Done\*\*[^]*open a pull request/],
  ["422 at a comment", { ...SAY, status: 422 }, null],
  ["403 at a comment", { ...SAY, status: 403 }, null],
  ["410 at a comment", { ...SAY, status: 410 }, null],
];
