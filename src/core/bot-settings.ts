import { stricter } from "./permission.ts";
import type { Permission } from "./permission.ts";
import { MAX_REPAIRS } from "./repository-settings.ts";
import type { ModelUse, RepositorySettings, Trigger } from "./repository-settings.ts";

/** Null: no limit. */
export interface Spending {
  costUsd: number | null;
  tokens: number | null;
}

/** What the bot may do and for whom: as the operator has it, or as it comes to be in one repository. */
export interface BotSettings {
  /** The name that people call the bot by, without `@`. */
  botLogin: string;
  /** Logins that may ask, in lower case; null: everybody with the permission. */
  authorizedUsers: readonly string[] | null;
  /** What it takes to ask. */
  permission: Permission;
  /** Ids of bots that may ask. */
  bots: readonly number[];
  /** A label that asks for work on the issue that gets it; null: none does. */
  label: string | null;
  triggers: Readonly<Record<Trigger, boolean>>;
  /** Models that repositories may choose. */
  allowedModels: readonly string[];
  /** Null: the operator's usual one. */
  models: Readonly<Record<ModelUse, string | null>>;
  budget: { session: Spending; day: Spending };
  review: {
    automatic: boolean;
    waitForAllChecks: boolean;
    /** Where not all are waited for: only when this workflow has ended; null: whichever there are. */
    workflow: string | null;
    ownPullRequests: boolean;
    /** Whether the check of a review fails that asks for changes; else it is neutral. */
    mayFail: boolean;
  };
  labels: {
    mode: "on" | "dry-run" | "off";
    /** In lower case. */
    exclude: readonly string[];
    max: number;
  };
  repair: {
    attempts: number;
    /** Has checks of a person's pull request mended; null: only the bot's own are. */
    label: string | null;
    /** How long checks must have been at rest. */
    quietMs: number;
  };
  /** Why nothing of the repository's file counts although there is one. */
  fault: string | null;
}

const MODES = ["off", "dry-run", "on"] as const;

/**
 * What holds in one repository. A repository narrows what the operator lets the bot do, and never widens it: fewer
 * triggers, fewer people, smaller budgets, models and labels of those that are allowed. Labels are called otherwise only
 * where the operator has one at all; which checks a review waits for is a matter of taste, and the repository's.
 */
export function effective(operator: BotSettings, file: RepositorySettings): BotSettings {
  const { who = {}, budget = {}, review = {}, labels = {}, repair = {} } = file;
  const mode = Math.min(MODES.indexOf(operator.labels.mode), MODES.indexOf(labels.mode ?? "on"));
  return {
    ...operator,
    authorizedUsers: both(operator.authorizedUsers, lowerCase(who.users)),
    permission: stricter(operator.permission, who.permission ?? "none"),
    label: operator.label === null ? null : (file.label ?? operator.label),
    triggers: triggersOf(operator, file),
    models: modelsOf(operator, file),
    budget: {
      session: least(operator.budget.session, budget.session),
      day: least(operator.budget.day, budget.day),
    },
    review: {
      automatic: operator.review.automatic && (review.automatic ?? true),
      // Who names a workflow means that one, unless they say otherwise.
      waitForAllChecks:
        review.waitForAllChecks ??
        (review.workflow === undefined && operator.review.waitForAllChecks),
      workflow: review.workflow ?? operator.review.workflow,
      ownPullRequests: operator.review.ownPullRequests && (review.ownPullRequests ?? true),
      mayFail: review.mayFail ?? operator.review.mayFail,
    },
    labels: {
      mode: MODES[mode] ?? "off",
      exclude: [...new Set([...operator.labels.exclude, ...(lowerCase(labels.exclude) ?? [])])],
      max: Math.min(operator.labels.max, labels.max ?? operator.labels.max),
    },
    repair: {
      ...operator.repair,
      attempts: Math.min(operator.repair.attempts, repair.attempts ?? MAX_REPAIRS),
      label: operator.repair.label === null ? null : (repair.label ?? operator.repair.label),
    },
    fault: null,
  };
}

/**
 * What holds while a repository's file cannot be understood. It may have narrowed anything, so nothing begins by itself,
 * and only those who look after the repository, and can mend the file, may ask.
 */
export function whileBroken(operator: BotSettings, fault: string): BotSettings {
  return {
    ...operator,
    permission: stricter(operator.permission, "maintain"),
    triggers: { ...operator.triggers, autoLabel: false, repair: false, changesRequested: false },
    review: { ...operator.review, automatic: false },
    labels: { ...operator.labels, mode: "off" },
    repair: { ...operator.repair, attempts: 0 },
    fault,
  };
}

function triggersOf(operator: BotSettings, { triggers = {} }: RepositorySettings) {
  const isOn = (name: Trigger) => operator.triggers[name] && (triggers[name] ?? true);
  return {
    mention: isOn("mention"),
    label: isOn("label"),
    assignee: isOn("assignee"),
    review: isOn("review"),
    changesRequested: isOn("changesRequested"),
    autoLabel: isOn("autoLabel"),
    repair: isOn("repair"),
  };
}

function modelsOf(operator: BotSettings, { models = {} }: RepositorySettings) {
  const chosen = (use: ModelUse) => {
    const name = models[use];
    const isAllowed = name !== undefined && operator.allowedModels.includes(name);
    return isAllowed ? name : operator.models[use];
  };
  return {
    work: chosen("work"),
    plan: chosen("plan"),
    review: chosen("review"),
    repair: chosen("repair"),
    label: chosen("label"),
  };
}

function both(
  one: readonly string[] | null,
  other: readonly string[] | null,
): readonly string[] | null {
  if (one === null || other === null) return one ?? other;
  return one.filter((name) => other.includes(name));
}

function lowerCase(names: readonly string[] | undefined): string[] | null {
  return names?.map((name) => name.toLowerCase()) ?? null;
}

function least(
  one: Spending,
  other: { costUsd?: number | undefined; tokens?: number | undefined } = {},
): Spending {
  return {
    costUsd: smaller(one.costUsd, other.costUsd ?? null),
    tokens: smaller(one.tokens, other.tokens ?? null),
  };
}

function smaller(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
