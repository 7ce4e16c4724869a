import { z } from "zod";
import {
  choice,
  flag,
  from,
  names,
  SEALING_KEY,
  SEALING_KEY_EXPECTED,
  secret,
  size,
  text,
  url,
  VISIBLE,
  VISIBLE_EXPECTED,
  WEB,
  whole,
} from "./setting.ts";

const userName = z
  .string()
  .transform((value) => value.replace(/^@/, ""))
  .pipe(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*(\[bot\])?$/));

/** Of a bot that is no App, and of the commits of one whose name nobody has set. */
export const USUAL_BOT_NAME = "ClaudeBot";

/** The forge, the bot's name there, and what git may do. */
export const FORGE_SETTINGS = {
  githubWebhookSecret: secret(
    "GITHUB_WEBHOOK_SECRET",
    "Secret with which GitHub signs its deliveries; without it they are refused.",
  ),
  githubPreviousWebhookSecret: secret(
    "GITHUB_WEBHOOK_SECRET_PREVIOUS",
    "The secret before that one; deliveries signed with it are taken, too, as long as it is set.",
  ),
  githubAppId: whole("GITHUB_APP_ID", "Number of the GitHub App that the bot is.", {
    min: 1,
    max: 1_000_000_000,
  }),
  githubAppKey: secret(
    "GITHUB_APP_PRIVATE_KEY",
    "The App's private key (PEM); easiest as a file, by `GITHUB_APP_PRIVATE_KEY_FILE`.",
    { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, expected: "a private key in PEM" },
  ),
  key: secret(
    "CLAUDE_HUB_KEY",
    "Key with which the App that `claude-hub github setup` has made is sealed in the data directory: `openssl rand -base64 32`.",
    {
      pattern: SEALING_KEY,
      expected: SEALING_KEY_EXPECTED,
      fallbackText: "made by the set-up, in `key` in the data directory",
    },
  ),
  githubToken: secret(
    "GITHUB_TOKEN",
    "Token with which the hub reads and pushes repositories when it is no App; it never enters a sandbox.",
    { pattern: VISIBLE, expected: VISIBLE_EXPECTED },
  ),
  githubApiUrl: url(
    "GITHUB_API_URL",
    "GitHub's REST API, where it is not at its usual place.",
    WEB,
    {
      fallbackText: "the API of `GITHUB_SERVER_URL`; of an Enterprise Server `https://HOST/api/v3`",
    },
  ),
  githubServerUrl: url(
    "GITHUB_SERVER_URL",
    "Where repositories are cloned from, as `<server>/<owner>/<name>.git`.",
    WEB,
    { fallback: "https://github.com" },
  ),
  botUsername: from("BOT_USERNAME", "The bot's user name, with or without `@`.", userName, {
    expected: "a GitHub user name",
    fallbackText: `the name of the App; without an App \`${USUAL_BOT_NAME}\``,
  }),
  botEmail: text("BOT_EMAIL", "E-mail address of the bot's commits.", {
    fallback: "claude@example.com",
  }),
  authorizedUsers: names(
    "AUTHORIZED_USERS",
    "GitHub users whose wishes the bot follows, of those who may; empty: of all of them.",
    {
      fallback: "",
    },
  ),

  authorizedBots: from(
    "AUTHORIZED_BOTS",
    "Ids of bots on GitHub whose wishes are followed, with commas; a bot that is not named is not listened to.",
    z
      .string()
      .transform((value) => value.split(",").filter((id) => id.trim() !== ""))
      .transform((ids) => ids.map(Number))
      .pipe(z.array(z.int().positive())),
    { expected: "a list of numbers with commas", fallback: "" },
  ),

  triggerPermission: choice(
    "CLAUDE_HUB_TRIGGER_PERMISSION",
    "What somebody has to be allowed in a repository to ask the bot for work there.",
    ["read", "triage", "write", "maintain", "admin"],
    { fallback: "write" },
  ),
  triggerLabel: text("CLAUDE_HUB_TRIGGER_LABEL", "Label that asks for work on an issue."),
  triggerChangesRequested: flag(
    "CLAUDE_HUB_TRIGGER_CHANGES_REQUESTED",
    "Whether a review that requests changes of a pull request of the bot's is followed without a mention.",
    { fallback: "false" },
  ),
  forgeThrottle: flag(
    "CLAUDE_HUB_FORGE_THROTTLE",
    "Whether writes on GitHub are spaced as GitHub asks for: by a second, and by three where people are told of them.",
    { fallback: "true" },
  ),
  forgeTimeoutMs: whole(
    "CLAUDE_HUB_FORGE_TIMEOUT_MS",
    "How long GitHub may take for one answer (ms).",
    { min: 100, max: 600_000, fallback: "20000" },
  ),

  catchUpMs: whole(
    "CLAUDE_HUB_CATCH_UP_MS",
    "How often the hub asks GitHub for deliveries that did not arrive (ms); it also does when it starts. 0: never.",
    { min: 0, max: 86_400_000, fallback: "300000" },
  ),

  mirrorMaxAgeMs: whole(
    "CLAUDE_HUB_MIRROR_MAX_AGE_MS",
    "How old a mirror may be when it is read (ms).",
    { min: 0, max: 3_600_000, fallback: "3000" },
  ),
  gitProcesses: whole("CLAUDE_HUB_GIT_PROCESSES", "git processes for sandboxes at the same time.", {
    min: 1,
    max: 1_000,
    fallback: "8",
  }),
  pushBytes: size("CLAUDE_HUB_PUSH_BYTES", "Largest push.", { fallback: "256m" }),
};
