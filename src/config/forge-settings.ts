import { z } from "zod";
import {
  from,
  names,
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

/** The forge, the bot's name there, and what git may do. */
export const FORGE_SETTINGS = {
  githubWebhookSecret: secret(
    "GITHUB_WEBHOOK_SECRET",
    "Secret with which GitHub signs its deliveries; without it they are refused.",
  ),
  githubToken: secret(
    "GITHUB_TOKEN",
    "Token with which the hub reads and pushes repositories; it never enters a sandbox.",
    { pattern: VISIBLE, expected: VISIBLE_EXPECTED },
  ),
  githubApiUrl: url(
    "GITHUB_API_URL",
    "GitHub's REST API. Read from now on, used once the bot answers on GitHub.",
    WEB,
    {
      fallback: "https://api.github.com",
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
    fallback: "ClaudeBot",
  }),
  botEmail: text("BOT_EMAIL", "E-mail address of the bot's commits.", {
    fallback: "claude@example.com",
  }),
  authorizedUsers: names(
    "AUTHORIZED_USERS",
    "GitHub users whose mentions the bot follows. Read from now on, used once the bot answers on GitHub.",
    {
      fallback: "",
    },
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
