import { ifFound, isNotFound } from "../core/errors.ts";
import type { ClaimedDelivery } from "../store/deliveries/delivery-queue.ts";
import { closedRule } from "./closed.ts";
import { fixRule } from "./checks/fix-rule.ts";
import { checksRule } from "./checks/rule.ts";
import { foreseeMention } from "./foresee.ts";
import { labelsRule } from "./labels/rule.ts";
import { mentionRule } from "./obey.ts";
import { Payload } from "./payload.ts";
import type { ForgeEvent } from "./payload.ts";
import { rerunRule } from "./rerun.ts";
import type { Decision, Intention, Rule } from "./rule.ts";
import { reviewRule } from "./review/rule.ts";
import { createSharedReads } from "./shared-reads.ts";
import { repairRule } from "./repair/rule.ts";
import { goneRule } from "./places/gone.ts";
import { movedRule } from "./places/moved.ts";
import { isAboutPlaces } from "./places/place.ts";
import type { PlaceDeps, PlaceRule } from "./places/place.ts";
import { withdrawnRule } from "./places/withdrawn.ts";
import { settingsRule } from "./settings/rule.ts";
import { takenBackRule } from "./taken-back.ts";
import type { Outcome } from "./worker.ts";

type Raw = Pick<ClaimedDelivery, "event" | "payload" | "deliveryId" | "receivedAt">;

/** What the hub does about deliveries. */
export interface Triggers {
  /** Safe to repeat. */
  handle(delivery: Raw): Promise<Outcome>;
  /** What would come of it now, and why; nothing is written. */
  simulate(delivery: Raw): Promise<Simulation>;
}

/** What each rule would do. */
export interface Simulation {
  /** Why none of them is asked at all. */
  reason: string | null;
  rules: { rule: string; would: string | null; why: string | null }[];
}

/** In the order in which they act. */
const RULES: readonly Rule[] = [
  settingsRule,
  closedRule,
  takenBackRule,
  mentionRule,
  rerunRule,
  fixRule,
  checksRule,
  labelsRule,
  reviewRule,
  repairRule,
];
/** About repositories themselves, which may be out of reach. */
const PLACE_RULES: readonly PlaceRule[] = [withdrawnRule, movedRule, goneRule];

export function createTriggers(deps: PlaceDeps): Triggers {
  return {
    async handle(delivery) {
      const decisions = await decide(deps, delivery);
      if (typeof decisions === "string") return ignored(decisions);
      const outcomes: Outcome[] = [];
      for (const { decision } of decisions)
        outcomes.push(typeof decision === "string" ? ignored(decision) : await actOn(decision));
      return together(outcomes);
    },
    async simulate(delivery) {
      const decisions = await decide(deps, delivery);
      if (typeof decisions === "string") return { reason: decisions, rules: [] };
      return {
        reason: null,
        rules: [...PLACE_RULES, ...RULES].map(({ name }) => foreseen(name, decisions)),
      };
    },
  };
}

function foreseen(rule: string, decisions: readonly { rule: string; decision: Decision }[]) {
  const found =
    decisions.find((one) => one.rule === rule)?.decision ?? "it is not about such events";
  return typeof found === "string"
    ? { rule, would: null, why: found }
    : { rule, would: found.would, why: null };
}

const GONE = "what it is about is gone, or not for the bot to see";

/** What it is about may be gone since it was decided. */
async function actOn({ act }: Intention): Promise<Outcome> {
  return (await ifFound(act())) ?? ignored(GONE);
}

/** What each rule that is about such an event makes of it; a sentence: why none is asked. */
async function decide(
  deps: PlaceDeps,
  delivery: Raw,
): Promise<{ rule: string; decision: Decision }[] | string> {
  if (isAboutPlaces(delivery.event)) return await decidePlaces(deps, delivery);
  const read = readEvent(delivery);
  if (typeof read === "string") return read;
  // It may have moved on since.
  const repositoryName = await deps.places.current(read.repository);
  read.repository = { ...read.repository, name: repositoryName };
  const repository = createSharedReads(deps.forge.repository(repositoryName));
  foreseeMention(repository, read, deps.settingsFor.operator.botLogin);
  const settings = await deps.settingsFor.of(repositoryName);
  const decisions: { rule: string; decision: Decision }[] = [];
  for (const { name, decide: ask } of RULES) {
    try {
      const decision = await ask({ ...deps, settings }, repository, read);
      if (decision !== null) decisions.push({ rule: name, decision });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      decisions.push({ rule: name, decision: GONE });
    }
  }
  return decisions.length === 0 ? "nothing is done about such events" : decisions;
}

async function decidePlaces(
  deps: PlaceDeps,
  { event, payload, receivedAt }: Raw,
): Promise<{ rule: string; decision: Decision }[] | string> {
  const parsed = Payload.safeParse(parse(payload));
  if (!parsed.success) return "it is not what GitHub sends";
  const { action, repository: named } = parsed.data;
  const repository = named == null ? null : { id: named.id, name: named.full_name };
  const about = { event, action: action ?? "", repository, payload: parsed.data, receivedAt };
  const decisions: { rule: string; decision: Decision }[] = [];
  for (const { name, decide: ask } of PLACE_RULES) {
    const decision = await ask(deps, about);
    if (decision !== null) decisions.push({ rule: name, decision });
  }
  return decisions.length === 0 ? "nothing is done about such events" : decisions;
}

/** One outcome of several: what was done, or else why nothing was. */
function together(outcomes: readonly Outcome[]): Outcome {
  const done = outcomes.filter(({ state }) => state === "done");
  const told = done.length > 0 ? done : outcomes;
  return {
    state: done.length > 0 ? "done" : "ignored",
    outcome: told.map(({ outcome }) => outcome).join("; "),
  };
}

function ignored(outcome: string): Outcome {
  return { state: "ignored", outcome };
}

/** Why a delivery is not for the bot, or what it is about. */
function readEvent({ event, payload, deliveryId, receivedAt }: Raw): ForgeEvent | string {
  if (event === "ping") return "GitHub asks whether somebody listens";
  const parsed = Payload.safeParse(parse(payload));
  if (!parsed.success) return "it is not what GitHub sends";
  const { action, sender, repository, issue, pull_request: pull } = parsed.data;
  if (repository == null) return "it is about no repository";
  if (sender == null) return "it does not say who did it";
  return {
    event,
    action: action ?? "",
    sender: { id: sender.id, login: sender.login, isBot: sender.type !== "User" },
    repository: { id: repository.id, name: repository.full_name },
    number: (issue ?? pull)?.number ?? null,
    payload: parsed.data,
    deliveryId,
    receivedAt,
  };
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    // Taken in with a good signature, so it was JSON then; what is no object fits no schema.
    return null;
  }
}
