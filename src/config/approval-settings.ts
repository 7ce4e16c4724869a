import { ToolRule } from "../core/approval.ts";
import { EgressRule } from "../core/egress.ts";
import { from, listOf, whole } from "./setting.ts";

const DAY_MS = 86_400_000;

/** What a person has to say yes to. */
export const APPROVAL_SETTINGS = {
  askTools: from(
    "CLAUDE_HUB_ASK_TOOLS",
    "Uses of tools that a person has to allow each time: rules as Claude Code has them. See `docs/sessions.md`.",
    listOf(ToolRule),
    { expected: "a list with commas of rules (WebFetch, Bash(git push:*))", fallback: "" },
  ),
  askHosts: from(
    "CLAUDE_HUB_ASK_HOSTS",
    "Hosts that a session may reach when a person allows it, once for each session.",
    listOf(EgressRule),
    { expected: "a list with commas of names (example.com, *.example.com)", fallback: "" },
  ),
  approvalMs: whole(
    "CLAUDE_HUB_APPROVAL_MS",
    "How long such a question waits for its answer; then it is no (ms).",
    { min: 1_000, max: DAY_MS, fallback: "600000" },
  ),
};
