import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { USUAL_BOT_NAME } from "./config/forge-settings.ts";
import { systemClock } from "./core/clock.ts";
import { HubError, ifFound } from "./core/errors.ts";
import { later } from "./core/later.ts";
import type { Redaction } from "./core/redaction.ts";
import type { Repository } from "./core/repository.ts";
import type { Secret } from "./core/secret.ts";
import { createGitHub } from "./forge/github/github.ts";
import type { GitHubForge } from "./forge/github/github.ts";
import { identityOf } from "./forge/github/identity.ts";
import type { Mirror } from "./gateway/git/mirror.ts";
import type { SessionLife } from "./sessions/life.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { createApprovalReads } from "./store/talk/approvals.ts";
import type { Database } from "./store/database.ts";
import { createDeliveryLog } from "./store/deliveries/delivery-log.ts";
import type { DeliveryLog } from "./store/deliveries/delivery-log.ts";
import { createDeliveryQueue } from "./store/deliveries/delivery-queue.ts";
import type { ClaimedDelivery } from "./store/deliveries/delivery-queue.ts";
import type { EventStore } from "./store/log/events.ts";
import { createForgeWrites } from "./store/threads/forge-writes.ts";
import { createRepairStore } from "./store/threads/repairs.ts";
import { createReviewGateStore } from "./store/threads/review-gates.ts";
import { createReviewStore } from "./store/threads/reviews.ts";
import { createPlaceStore } from "./store/sessions/places.ts";
import { createSpendingStore } from "./store/spending/spending.ts";
import { createThreadPlanStore } from "./store/threads/thread-plans.ts";
import { createThreadSessionStore } from "./store/threads/thread-sessions.ts";
import { openChecks } from "./triggers/checks/open.ts";
import type { TriggerDeps } from "./triggers/deps.ts";
import { openLabels } from "./triggers/labels/open.ts";
import { lookAt } from "./triggers/repair/repair.ts";
import { startCheckSweep } from "./triggers/repair/sweep.ts";
import { startReviewer } from "./triggers/review/reviewer.ts";
import type { ReviewerOptions } from "./triggers/review/reviewer.ts";
import { openCatchUp } from "./triggers/catch-up/open.ts";
import { openTellers } from "./triggers/open-tellers.ts";
import type { Plans } from "./triggers/plans/deps.ts";
import type { PlaceDeps } from "./triggers/places/place.ts";
import { isWanted } from "./triggers/places/reach.ts";
import { allowedOf, operatorSettings } from "./triggers/settings/operator.ts";
import { createSettingsSource } from "./triggers/settings/source.ts";
import { createTriggers } from "./triggers/triggers.ts";
import type { Triggers } from "./triggers/triggers.ts";
import { startDeliveryWorker } from "./triggers/worker.ts";
import type { Outcome } from "./triggers/worker.ts";

const WORKER = { lanes: 8, leaseMs: 60_000, attempts: 8, pollMs: 1_000 };
const REVIEWER = { leaseMs: 120_000, pollMs: 1_000 };
const CHECK_SWEEP = { leaseMs: 120_000, pollMs: 1_000 };
const REPORTER = { leaseMs: 120_000, pollMs: 1_000 };

/** The forge as the hub is configured for it; null: it may read what is public, and write nothing. */
export function openForge(config: Config, database: Database, log: Logger): GitHubForge | null {
  const { github, secrets } = config;
  const { githubAppKey: appKey, githubToken: token } = secrets;
  const identity = identityOf({ appId: github.appId, appKey, token });
  if (identity === null) {
    log.warn(
      "neither GITHUB_APP_ID nor GITHUB_TOKEN is set: private repositories cannot be read, and nothing be pushed",
    );
    return null;
  }
  const { apiUrl, timeoutMs, throttle } = github;
  const written = createForgeWrites(database);
  return createGitHub({ apiUrl, identity, timeoutMs, throttle, written, log });
}

const READ = { contents: "read", metadata: "read" } as const;
const PUSH = { contents: "write", metadata: "read" } as const;

/** What git shows to the forge; nothing of it is ever in a sandbox. */
export function gitCredentials(forge: GitHubForge | null, log: Logger) {
  /** Null where the App is not installed: what everybody may read can be worked on there, and nothing be pushed. */
  async function ifInstalled<T>(ask: (forge: GitHubForge) => Promise<T>): Promise<T | null> {
    return forge === null ? null : await ifFound(ask(forge));
  }

  return {
    read: (repository: Repository, refused: Secret | null) =>
      ifInstalled(async (at) => {
        const known = await at.token(repository, READ, false);
        // Another one may have been asked for since.
        if (refused === null || known.reveal() !== refused.reveal()) return known;
        return await at.token(repository, READ, true);
      }),
    issue: (repository: Repository, { workflows }: { workflows: boolean }) =>
      ifInstalled(async (at) => {
        if (workflows)
          try {
            return await at.issue(repository, { ...PUSH, workflows: "write" });
          } catch (error) {
            if (!(error instanceof HubError) || error.code !== "invalid_request") throw error;
            log.warn({ repository }, "the App may not change workflows, although sessions may");
          }
        return await at.issue(repository, PUSH);
      }),
    revoke: async (token: Secret) => await forge?.revoke(token),
  };
}

/** What is asked of deliveries from outside. */
export interface Bot {
  deliveryLog: DeliveryLog;
  /** A delivery waits. */
  onDelivery(): void;
  /** What would come of a delivery, and why; nothing is written. */
  simulate: Triggers["simulate"];
}

const NO_ACCOUNT = "the hub has no account on the forge";

/** Works off deliveries, and tells on the forge what becomes of them. */
export async function startBot(
  options: {
    config: Config;
    forge: GitHubForge | null;
    database: Database;
    sessions: Sessions;
    approvals: SessionLife["approvals"];
    plans: Plans;
    events: EventStore;
    redaction: Redaction;
    executorId: string;
    mirror: Pick<Mirror, "forget" | "branches">;
    log: Logger;
  },
  parts: AsyncDisposableStack,
): Promise<Bot> {
  const { config, forge, database, mirror, sessions, events, redaction, executorId, log } = options;
  const common = { executorId, clock: systemClock, log };
  const queue = createDeliveryQueue(database);
  const deliveryLog = createDeliveryLog(database);
  const startWorker = async (handle: (delivery: ClaimedDelivery) => Promise<Outcome>) =>
    parts.use(await startDeliveryWorker({ ...common, queue, settings: WORKER, handle }));
  if (forge === null) {
    const worker = await startWorker(async () => ({ state: "ignored", outcome: NO_ACCOUNT }));
    const simulate = () => Promise.resolve({ reason: NO_ACCOUNT, rules: [] });
    return { deliveryLog, onDelivery: () => worker.ring(), simulate };
  }
  const threads = createThreadSessionStore(database);
  const written = createForgeWrites(database);
  const { github } = config;
  const reviews = createReviewStore(database);
  const spending = createSpendingStore(database);
  const base = { ...common, forge, sessions, threads, reviews };
  const asked = {
    plans: options.plans,
    threadPlans: createThreadPlanStore(database),
    questions: createApprovalReads(database),
  };
  // What an App is called only GitHub knows, which may be away when the hub starts.
  const settingsFor = later(async () => {
    const botLogin = github.botUsername ?? nameOf(await forge.self());
    const operator = operatorSettings(config, botLogin);
    const allowed = allowedOf(config);
    return createSettingsSource({ forge, operator, allowed, clock: systemClock });
  });
  // So that the first who asks does not wait for it. GitHub may be away; then it is asked when somebody asks.
  forge.self().catch((error: unknown) => log.debug({ err: error }, "github could not be asked"));
  const { serverUrl } = github;
  const botLogin = async () => (await settingsFor()).operator.botLogin;
  const telling = { ...REPORTER, serverUrl };
  const tellers = await openTellers(
    { ...base, ...asked, events, botLogin, settings: telling },
    parts,
  );
  const { checks, ring: showChecks } = await openChecks(
    { ...base, database, settingsFor, redaction, serverUrl },
    parts,
  );
  const labelling = await openLabels(
    { config, forge, database, sessions, settingsFor, ...common },
    parts,
  );
  const review = await startReviews(
    { ...base, config, database, checks, spending, settingsFor, redaction },
    parts,
  );
  const repairs = createRepairStore(database);
  const deps = later(async (): Promise<PlaceDeps> => ({
    forge,
    sessions,
    threads,
    ...asked,
    approvals: options.approvals,
    settingsFor: await settingsFor(),
    spending,
    labelling,
    review,
    repairs,
    checks,
    places: createPlaceStore(database),
    isWanted: (repository) => isWanted(forge, repository),
    async forget(repository) {
      await forge.forget(repository);
      await mirror.forget(repository);
    },
    async once(key, work) {
      if (typeof (await written.begin(key)) === "object") return;
      await work();
      await written.done(key, { id: 0, url: "" });
    },
    warmUp: (repository) => mirror.branches(repository),
    onAsked() {
      tellers.ring();
      showChecks();
    },
    clock: systemClock,
    log,
  }));
  const triggers = later(async () => createTriggers(await deps()));
  parts.use(
    await startCheckSweep({
      ...common,
      repairs,
      lookAt: async (wake) => await lookAt(await deps(), wake),
      settings: CHECK_SWEEP,
    }),
  );
  const worker = await startWorker(async (delivery) => await (await triggers()).handle(delivery));
  const onDelivery = () => worker.ring();
  const everyMs = github.catchUpMs;
  parts.use(await openCatchUp({ forge, database, onDelivery, everyMs, executorId, log }));
  return {
    deliveryLog,
    onDelivery,
    simulate: async (delivery) => await (await triggers()).simulate(delivery),
  };
}

/** Has pull requests reviewed. */
async function startReviews(
  options: Omit<ReviewerOptions, "gates" | "redact" | "settings" | "sweep"> & {
    config: Config;
    database: Database;
    redaction: Redaction;
  },
  parts: AsyncDisposableStack,
): Promise<TriggerDeps["review"]> {
  const { config, database, redaction, ...common } = options;
  const { reviews } = common;
  const gates = createReviewGateStore(database);
  const reviewer = parts.use(
    await startReviewer({
      ...common,
      gates,
      redact: (text) => redaction.text(text),
      settings: { ...config.review, strangers: config.review.whose === "everybody" },
      sweep: REVIEWER,
    }),
  );
  return { gates, reviews, ring: () => reviewer.ring() };
}

/** By which people mention it, when no setting says. */
function nameOf({ account, appId }: Awaited<ReturnType<GitHubForge["self"]>>): string {
  return appId === null ? USUAL_BOT_NAME : account.login.replace(/\[bot\]$/, "");
}
