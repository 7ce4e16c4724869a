import type { Logger } from "pino";
import type { ModelForm } from "../core/job.ts";
import type { Id } from "../core/id.ts";
import { policyFor } from "../core/policy.ts";
import type { EgressPreset, EgressRule, Target } from "../core/egress.ts";
import { forbidden } from "../core/errors.ts";
import type { Intake } from "../sessions/intake.ts";
import type { ToolCallStore } from "../store/sessions/tool-calls.ts";
import { createDenials } from "./denials.ts";
import type { Denial } from "./denials.ts";
import { createAddressCheck } from "./egress/addresses.ts";
import { createEgressDoor } from "./egress/door.ts";
import type { EgressLimits } from "./egress/limits.ts";
import { createRepositoryRules } from "./egress/repository-rules.ts";
import { createLookup } from "./egress/resolver.ts";
import { createGitDoor } from "./git/door.ts";
import type { LeasePush } from "./git/credentials.ts";
import type { GitLimits } from "./git/limits.ts";
import type { Mirror } from "./git/mirror.ts";
import type { RepositorySettingsReader } from "./git/repository-settings.ts";
import type { BranchOwnership } from "./git/vet.ts";
import { createModelDoor } from "./model/door.ts";
import type { Upstream } from "./model/upstream.ts";
import { createRunnerDoor } from "./runner/door.ts";
import { createGateway } from "./server.ts";
import { createToolsDoor } from "./tools/door.ts";
import type { ToolsFor } from "./tools/door.ts";
import type { Authentication, GatewaySession } from "./session.ts";

/** Where sandboxes may connect to, beyond the hub's own doors. */
interface EgressOptions {
  rules: readonly EgressRule[];
  /** Hosts that are open when a person allows it. */
  asks: readonly EgressRule[];
  /** Addresses and ranges that are open although they are not public. */
  addresses: readonly string[];
  /** Repositories that may add hosts. */
  repositories: readonly string[];
  /** What repositories may choose. */
  repositoryPresets: ReadonlyMap<EgressPreset, readonly EgressRule[]>;
  /** None: the machine's own. */
  dnsServers: readonly string[];
  /** Ports of this machine that no sandbox is ever connected to; more may be added later. */
  hubPorts: ReadonlySet<number>;
  limits: Omit<EgressLimits, "recheckMs">;
}

/** Opens the doors of sandboxes. */
export async function startGateway(options: {
  socketPath: string;
  intake: Intake;
  mirror: Mirror;
  ownership: BranchOwnership;
  settingsOf: RepositorySettingsReader;
  git: {
    serverUrl: string;
    lease: LeasePush;
    environment: Readonly<Record<string, string>>;
    limits: GitLimits;
  };
  model: { upstream: Upstream; form: ModelForm };
  /** How long one call may wait for a provider that takes no calls for a while. */
  modelWaitMs: number;
  egress: EgressOptions;
  tools: { toolsFor: ToolsFor; calls: ToolCallStore };
  /** Connections that one sandbox may hold. */
  sessionConnections: number;
  log: Logger;
}): Promise<AsyncDisposable> {
  const { intake, mirror, log } = options;
  const denials = (door: Denial["door"]) =>
    createDenials({
      door,
      onDenial: ({ sessionId, ...denial }) => intake.record(sessionId, "door.refused", denial),
      log,
    });
  const model = createModelDoor({
    upstream: options.model.upstream,
    serverTools: options.model.form.serverTools,
    budget: { check: (sessionId, inFlight) => intake.checkBudget(sessionId, inFlight) },
    onCall: async ({ sessionId, usage, ...call }) => {
      await intake.record(sessionId, "model.called", { ...usage, ...call });
      // The call is recorded, and must not be a second time; the budget is looked at again soon anyway.
      await intake.watchBudget(sessionId).catch((error: unknown) => {
        log.warn({ err: error, sessionId }, "budget could not be looked at");
      });
    },
    onRefusal: ({ sessionId, model: asked, service }) =>
      intake.record(sessionId, "model.refused", { model: asked, service }),
    onDenial: denials("model"),
    onLimit: {
      waitMs: options.modelWaitMs,
      onWait: ({ sessionId, status, until }) =>
        intake.record(sessionId, "model.limited", { status, until: until.toISOString() }),
      onPause: ({ sessionId, status, until }) => intake.pauseForProvider(sessionId, status, until),
    },
    log,
  });
  const git = createGitDoor({
    ...options.git,
    mirror,
    ownership: options.ownership,
    onPush: ({ sessionId, ref, branch, newSha, accepted, reason, url }) =>
      accepted
        ? intake.record(sessionId, "branch.pushed", { branch, sha: newSha, url })
        : intake.record(sessionId, "push.refused", { ref, reason }),
    onDenial: denials("git"),
    log,
  });
  const egress = createEgressDoor({
    ...options.egress,
    rulesOf: createRepositoryRules({
      repositories: options.egress.repositories,
      presets: options.egress.repositoryPresets,
      settingsOf: options.settingsOf,
    }),
    mayReach: (sessionId, target, signal) => mayReach(intake, sessionId, target, signal),
    check: createAddressCheck({
      ranges: options.egress.addresses,
      hubPorts: () => options.egress.hubPorts,
    }),
    lookup: createLookup(options.egress.dnsServers, options.egress.limits.connectMs),
    record: (sessionId, kind, body) => intake.record(sessionId, kind, body),
    hasEnded: (sessionId) => intake.hasEnded(sessionId),
    log,
  });
  const tools = createToolsDoor({
    ...options.tools,
    record: (sessionId, kind, body) => intake.record(sessionId, kind, body),
    onDenial: denials("tools"),
    log,
  });
  const gateway = createGateway({
    address: { socketPath: options.socketPath },
    authenticate: (token) => authenticate(intake, token),
    doors: new Map([
      ["runner", createRunnerDoor(intake)],
      [
        "git",
        async (req, res, session) => {
          onlyIfUsual(session);
          await git(req, res, session);
        },
      ],
      ["model", model.door],
      ["tools", tools],
    ]),
    proxy: {
      async connect(req, socket, session) {
        onlyIfUsual(session);
        await egress.connect(req, socket, session);
      },
      async request(req, res, session) {
        onlyIfUsual(session);
        await egress.request(req, res, session);
      },
    },
    limits: { maxSessionConnections: options.sessionConnections },
    log,
  });
  await gateway.listen();
  return {
    async [Symbol.asyncDispose]() {
      await gateway.close();
      egress.close();
      await model.close();
      await mirror.close();
    },
  };
}

const ASK_MS = 30_000;

/** Waits for a person's answer, once for each host and port of a session. Why not; null: it may. */
async function mayReach(
  intake: Intake,
  sessionId: Id,
  { host, port }: Target,
  signal: AbortSignal,
): Promise<string | null> {
  const subject = `${host}:${port}`;
  const question = { key: `host ${subject}`, kind: "host" as const, subject, detail: "" };
  for (;;) {
    const { decision, reason } = await intake.ask(sessionId, question, { waitMs: ASK_MS, signal });
    if (decision !== null) return decision === "allow" ? null : reason;
    if (signal.aborted) return "has to be allowed by a person, and was not waited for";
  }
}

/** Some sessions have nothing to do with any place but their model. */
function onlyIfUsual({ policy }: GatewaySession): void {
  if (policy.reach === "model") throw forbidden("This session may reach nothing but its model");
}

async function authenticate(intake: Intake, token: string): Promise<Authentication> {
  const readAt = performance.now();
  const owner = await intake.authenticate(token);
  if (owner === null) return null;
  const { hasEnded, policy, ...session } = owner;
  return hasEnded ? "ended" : { ...session, policy: policy ?? NOTHING, readAt };
}

/** Of a session that has no slot yet: it may not even ask its model. */
const NOTHING = policyFor("analysis", {
  pushBranches: [],
  pushWorkflows: false,
  maxTokens: 0,
  maxCostUsd: 0,
});
