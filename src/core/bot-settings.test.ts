import * as fc from "fast-check";
import { expect, test } from "vitest";
import { effective, whileBroken } from "./bot-settings.ts";
import type { BotSettings, Spending } from "./bot-settings.ts";
import { PERMISSIONS } from "./permission.ts";
import { RepositorySettings } from "./repository-settings.ts";

const USERS = ["ada", "tim", "eve"];
const MODELS = ["small", "middle", "large"];
const LABELS = ["claude", "bug", "docs"];
const MODES = ["off", "dry-run", "on"] as const;

const limit = fc.option(fc.integer({ min: 1, max: 100 }));
const spending = fc.record({ costUsd: limit, tokens: limit });
const model = fc.option(fc.constantFrom(...MODELS));
const label = fc.option(fc.constantFrom(...LABELS));
const operators: fc.Arbitrary<BotSettings> = fc.record({
  botLogin: fc.constant("Bot"),
  authorizedUsers: fc.option(fc.subarray(USERS)),
  permission: fc.constantFrom(...PERMISSIONS),
  bots: fc.constant([7]),
  label,
  triggers: fc.record({
    mention: fc.boolean(),
    label: fc.boolean(),
    assignee: fc.boolean(),
    review: fc.boolean(),
    changesRequested: fc.boolean(),
    autoLabel: fc.boolean(),
    repair: fc.boolean(),
  }),
  allowedModels: fc.subarray(MODELS),
  models: fc.record({ work: model, plan: model, review: model, repair: model, label: model }),
  budget: fc.record({ session: spending, day: spending }),
  review: fc.record({
    automatic: fc.boolean(),
    waitForAllChecks: fc.boolean(),
    workflow: label,
    ownPullRequests: fc.boolean(),
    mayFail: fc.boolean(),
  }),
  labels: fc.record({
    mode: fc.constantFrom(...MODES),
    exclude: fc.subarray(LABELS),
    max: fc.integer({ min: 1, max: 5 }),
  }),
  repair: fc.record({
    attempts: fc.integer({ min: 0, max: 3 }),
    label,
    quietMs: fc.constant(1_000),
  }),
  fault: fc.constant(null),
});

const part = { requiredKeys: [] };
const onOff = fc.constantFrom<unknown[]>(true, false, "on", "off");
const asked = fc.record(
  { costUsd: fc.integer({ min: 1, max: 100 }), tokens: fc.integer({ min: 1, max: 100 }) },
  part,
);
const name = fc.constantFrom(...LABELS);
const anyModel = fc.constantFrom(...MODELS);
const files = fc
  .record(
    {
      triggers: fc.record(
        { mention: onOff, label: onOff, assignee: onOff, autoLabel: onOff, repair: onOff },
        part,
      ),
      label: name,
      who: fc.record(
        {
          permission: fc.constantFrom("read", "triage", "write", "maintain", "admin"),
          users: fc.subarray(["Ada", "@tim", "eve"], { minLength: 1 }),
        },
        part,
      ),
      models: fc.record({ work: anyModel, plan: anyModel, label: anyModel }, part),
      budget: fc.record({ session: asked, day: asked }, part),
      review: fc.record(
        { automatic: onOff, waitForAllChecks: onOff, workflow: name, ownPullRequests: onOff },
        part,
      ),
      labels: fc.record(
        {
          mode: fc.constantFrom(...MODES),
          exclude: fc.subarray(["Bug", "docs"]),
          max: fc.integer({ min: 1, max: 5 }),
        },
        part,
      ),
      repair: fc.record({ attempts: fc.integer({ min: 0, max: 3 }), label: name }, part),
    },
    part,
  )
  .map((file) => RepositorySettings.parse(file));

/** Where one set of settings lets the bot do what the other does not. */
function widenings(one: BotSettings, usual: BotSettings): string[] {
  const found: string[] = [];
  const hold = (what: string, holds: boolean) => {
    if (!holds) found.push(what);
  };
  for (const user of [...USERS, "anybody"]) {
    const mayAsk = ({ authorizedUsers: users }: BotSettings) => users?.includes(user) ?? true;
    hold(`${user} may ask`, !mayAsk(one) || mayAsk(usual));
  }
  hold("permission", PERMISSIONS.indexOf(one.permission) >= PERMISSIONS.indexOf(usual.permission));
  hold(
    "bots",
    one.bots.every((id) => usual.bots.includes(id)),
  );
  hold("label", one.label === null || usual.label !== null);
  const was: Record<string, boolean> = usual.triggers;
  for (const [trigger, isOn] of Object.entries(one.triggers))
    hold(trigger, !isOn || was[trigger] === true);
  const models: Record<string, string | null> = usual.models;
  for (const [use, chosen] of Object.entries(one.models))
    hold(
      `model for ${use}`,
      chosen === models[use] || (chosen !== null && usual.allowedModels.includes(chosen)),
    );
  hold("session's budget", isWithin(one.budget.session, usual.budget.session));
  hold("day's budget", isWithin(one.budget.day, usual.budget.day));
  hold("automatic review", !one.review.automatic || usual.review.automatic);
  hold("own pull requests", !one.review.ownPullRequests || usual.review.ownPullRequests);
  hold("labels", MODES.indexOf(one.labels.mode) <= MODES.indexOf(usual.labels.mode));
  hold(
    "excluded",
    usual.labels.exclude.every((each) => one.labels.exclude.includes(each)),
  );
  hold("number of labels", one.labels.max <= usual.labels.max);
  hold("attempts", one.repair.attempts <= usual.repair.attempts);
  hold("repair label", one.repair.label === null || usual.repair.label !== null);
  return found;
}

function isWithin(one: Spending, other: Spending): boolean {
  return fits(one.costUsd, other.costUsd) && fits(one.tokens, other.tokens);
}

function fits(one: number | null, other: number | null): boolean {
  return other === null || (one !== null && one <= other);
}

test("a repository's file never widens what the operator allows", () => {
  fc.assert(
    fc.property(operators, files, (operator, file) => {
      expect(widenings(effective(operator, file), operator)).toEqual([]);
    }),
  );
});

/** What a file asks for, narrower than the operator has it, and does not get. */
function unheard(
  { who, triggers, budget, labels, repair, review }: RepositorySettings,
  held: BotSettings,
): string[] {
  const users = who?.users?.map((one) => one.toLowerCase());
  const isNamed = (user: string) => users === undefined || users.includes(user);
  const wishes: Record<string, boolean> = {
    permission:
      PERMISSIONS.indexOf(held.permission) >= PERMISSIONS.indexOf(who?.permission ?? "none"),
    users: held.authorizedUsers?.every(isNamed) ?? users === undefined,
    mention: triggers?.mention !== false || !held.triggers.mention,
    autoLabel: triggers?.autoLabel !== false || !held.triggers.autoLabel,
    day: (held.budget.day.costUsd ?? Infinity) <= (budget?.day?.costUsd ?? Infinity),
    session: (held.budget.session.tokens ?? Infinity) <= (budget?.session?.tokens ?? Infinity),
    labels: MODES.indexOf(held.labels.mode) <= MODES.indexOf(labels?.mode ?? "on"),
    attempts: held.repair.attempts <= (repair?.attempts ?? Infinity),
    review: review?.automatic !== false || !held.review.automatic,
  };
  return Object.keys(wishes).filter((wish) => wishes[wish] === false);
}

test("whatever a file narrows is narrower then", () => {
  fc.assert(
    fc.property(operators, files, (operator, file) => {
      expect(unheard(file, effective(operator, file))).toEqual([]);
    }),
  );
});

test("asking twice is asking once, and asking for nothing changes nothing", () => {
  fc.assert(
    fc.property(operators, files, (operator, file) => {
      const once = effective(operator, file);
      expect(effective(once, file)).toEqual(once);
      expect(effective(operator, RepositorySettings.parse({}))).toEqual(operator);
    }),
  );
});

test("a file that nobody understands widens nothing, and nothing begins by itself", () => {
  fc.assert(
    fc.property(operators, (operator) => {
      const held = whileBroken(operator, "broken");
      expect(widenings(held, operator)).toEqual([]);
      expect(PERMISSIONS.indexOf(held.permission)).toBeGreaterThanOrEqual(
        PERMISSIONS.indexOf("maintain"),
      );
      expect(held).toMatchObject({
        triggers: { autoLabel: false, repair: false, changesRequested: false },
        review: { automatic: false },
        labels: { mode: "off" },
        fault: "broken",
      });
    }),
  );
});
