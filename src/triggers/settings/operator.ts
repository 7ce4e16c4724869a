import type { Config } from "../../config/config.ts";
import type { BotSettings } from "../../core/bot-settings.ts";
import { MAX_LABELS_PUT } from "../../core/repository-settings.ts";
import type { Allowed } from "../../core/repository-wishes.ts";

/** What the operator lets the bot do; repositories can have it do less. */
export function operatorSettings(
  { github, bot, review, policy, labels }: Config,
  botLogin: string,
): BotSettings {
  const { authorizedUsers } = github;
  return {
    botLogin,
    authorizedUsers:
      authorizedUsers.length === 0 ? null : authorizedUsers.map((name) => name.toLowerCase()),
    permission: github.permission,
    bots: github.authorizedBots,
    label: github.label,
    triggers: {
      mention: true,
      label: true,
      assignee: true,
      review: true,
      changesRequested: github.changesRequested,
      autoLabel: true,
      repair: true,
    },
    allowedModels: bot.allowedModels,
    models: { work: null, plan: null, review: null, repair: null, label: labels.model },
    budget: {
      session: { costUsd: policy.maxCostUsd, tokens: policy.maxTokens },
      day: bot.day,
    },
    labels: {
      mode: labels.mode,
      exclude: labels.exclude.map((name) => name.toLowerCase()),
      max: MAX_LABELS_PUT,
    },
    review: {
      automatic: review.whose !== "off",
      waitForAllChecks: review.waitForAllChecks,
      workflow: review.workflow,
      ownPullRequests: review.ownPullRequests,
      mayFail: false,
    },
    repair: {
      attempts: bot.repairAttempts,
      label: bot.repairLabel,
      quietMs: bot.repairQuietMs,
    },
    fault: null,
  };
}

/** What repositories may choose among. */
export function allowedOf({ bot, containers, egress }: Config): Allowed {
  return {
    models: bot.allowedModels,
    images: containers.allowedImages,
    egressPresets: egress.repositoryPresets,
    egressRepositories: egress.repositories,
  };
}
