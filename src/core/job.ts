import { z } from "zod";
import { Decision } from "./approval.ts";
import { Artifact } from "./artifact.ts";
import { EventBody, EventKind } from "./event.ts";
import { Id } from "./id.ts";
import { LIMITS } from "./limits.ts";
import { Policy } from "./policy.ts";
import { Branch, Repository } from "./repository.ts";
import { SessionType } from "./session.ts";
import { AnswerSchema, Toolset } from "./session-terms.ts";

/** What the runner is told on its standard input when its sandbox starts. The token is good for this session alone. */
export const RunnerBoot = z.object({
  sessionId: Id,
  sandboxName: z.string(),
  /** Unix socket of the gateway, as seen from inside the sandbox. */
  gatewaySocket: z.string(),
  token: z.string().min(43),
  /** Directories inside the sandbox, all below the sandbox's own. */
  workspaceDir: z.string(),
  homeDir: z.string(),
  spoolDir: z.string(),
});
export type RunnerBoot = z.infer<typeof RunnerBoot>;

/** How a runner ends that did no work. */
export const RUNNER_EXIT = {
  /** Before it took its lock: it may be started again. */
  notBegun: 70,
  /** Another runner has this sandbox, or had it. */
  locked: 75,
} as const;

/** How the agent has to ask its model; the credential is added outside. */
export const ModelForm = z.object({
  form: z.enum(["anthropic", "subscription", "bedrock", "vertex"]),
  /** Of the clouds; agents name models by it. */
  region: z.string().nullable(),
  /** What to take for the names of Anthropic's families; null: the agent's own choice. */
  families: z.object({
    opus: z.string().nullable(),
    sonnet: z.string().nullable(),
    haiku: z.string().nullable(),
  }),
  /** Services of the provider that the door lets through. */
  serverTools: z.array(z.string()),
});
export type ModelForm = z.infer<typeof ModelForm>;

/** What the runner fetches first: everything it needs to know, no credential. */
export const Job = z.object({
  sessionId: Id,
  type: SessionType,
  agent: z.string(),
  /** Absolute path of the agent's executable as seen inside the sandbox. */
  agentExecutable: z.string(),
  model: z.string().nullable(),
  modelForm: ModelForm,
  /** The task, with requirements and context as data. */
  prompt: z.string(),
  systemPrompt: z.string(),
  /** What the final answer has to look like; null: a summary and next steps. */
  answerSchema: AnswerSchema.nullable().default(null),
  /** Shell command that tells, after the agent, whether the work is done; null: there is none. */
  check: z.string().nullable().default(null),
  /** Without tools there is no checkout either. */
  toolset: Toolset.default("usual"),
  /** Uses of tools that it has to ask for, by its own rules. */
  askTools: z.array(z.string()).default([]),
  /** What the hub does for the agent, by name; reached through the gateway's tools door. */
  hubTools: z.array(z.string()).default([]),
  /** Id the agent's conversation gets, chosen by the hub. */
  agentSessionId: Id,
  /** Continue the conversation `agentSessionId` instead of beginning it. */
  resume: z.boolean(),
  /** Begin with a copy of that conversation, up to and including what has that name in it; null: all of it. */
  fork: z.object({ from: Id, upTo: Id.nullable() }).nullable().default(null),
  workspace: z.object({
    repository: Repository,
    /** Branch to start from; exists in the repository. Null: the repository is empty. */
    baseBranch: Branch.nullable(),
    /** To be checked out and read, whatever branch it is on; null: the base branch itself. */
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable()
      .default(null),
    /** Where on the base branch the work begins, if it is there still; null: at its end. */
    startAt: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable()
      .default(null),
    /** Agent configuration is taken from here. */
    defaultBranch: Branch.nullable(),
    /** Branch to work on and push; null: work on a detached checkout, push nothing. */
    workBranch: Branch.nullable(),
    author: z.object({ name: z.string(), email: z.string() }),
  }),
  /** Commands of the repository's settings that prepare the workspace. */
  setup: z.array(z.string()).default([]),
  policy: Policy,
  limits: z.object({
    /**
     * The runner ends the agent at this moment; the hub ends the sandbox somewhat later. Null: the session has not been
     * started, so the runner makes the workspace ready and waits for its start.
     */
    deadlineAt: z.iso.datetime().nullable(),
    /** Silence after which `agent.stalled` is reported. */
    stallMs: z.int().positive(),
    setupMs: z.int().positive(),
    /** How long an agent that was interrupted is waited for a message. */
    idleMs: z.int().positive(),
    /** Bytes of events kept in the spool at the most. */
    spoolBytes: z.int().positive(),
  }),
});
export type Job = z.infer<typeof Job>;

/** What a runner that waits for the start is told; null: ask again. */
export const RunnerStart = z.object({
  start: z
    .object({
      job: Job,
      /** Where the base branch is by now; null when that could not be found out. */
      baseSha: z.string().nullable(),
    })
    .nullable(),
});
export type RunnerStart = z.infer<typeof RunnerStart>;

/** An agent's own record of its conversation: gzip, in base64. Only runners read it. */
export const Conversation = z.object({ body: z.base64().max(LIMITS.conversationChars) });
export type Conversation = z.infer<typeof Conversation>;

/** Events in the order of the runner's own numbering, which starts at 1 and has no gaps. */
export const EventBatch = z.object({
  events: z
    .array(
      z.object({ seq: z.int().positive(), at: z.iso.datetime(), kind: EventKind, body: EventBody }),
    )
    .max(LIMITS.eventsPerBatch),
});
export type EventBatch = z.infer<typeof EventBatch>;

/** Everything up to and including this runner number is in the log. */
export const EventBatchAnswer = z.object({ ackedSeq: z.int().nonnegative() });
export type EventBatchAnswer = z.infer<typeof EventBatchAnswer>;

/** How it ended, from git and from the agent's structured final answer. */
export const RunnerResult = z.object({
  outcome: z.enum(["completed", "failed", "cancelled", "timed_out"]),
  /** One sentence, safe for a caller; present unless completed. */
  error: z.string().max(2_000).optional(),
  summary: z.string().max(LIMITS.summaryChars).default(""),
  nextSteps: z.array(z.string().max(2_000)).max(LIMITS.nextSteps).default([]),
  artifacts: z.array(Artifact).max(LIMITS.artifacts).default([]),
  /** Unified diff from the base to the end of the work, cut at LIMITS.diffBytes. */
  diff: z.string().max(LIMITS.diffBytes).default(""),
  agentSessionId: z.string().max(200).nullable().default(null),
  /** Of a session that answers by a schema. */
  answer: z
    .json()
    .refine(
      (value) => JSON.stringify(value).length <= LIMITS.answerChars,
      `is longer than ${LIMITS.answerChars} characters`,
    )
    .default(null),
  /** Number of the last event that belongs before this result. */
  lastSeq: z.int().nonnegative(),
});
export type RunnerResult = z.infer<typeof RunnerResult>;

/** Of an order among all of its session, from 1. */
const Position = z.int().positive();

/** What the hub asks of a runner that polls for commands. */
export const RunnerCommand = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("cancel"), reason: z.string() }),
  z.object({ kind: z.literal("message"), id: Id, position: Position, text: z.string() }),
  z.object({ kind: z.literal("interrupt"), id: Id, position: Position }),
  z.object({ kind: z.literal("pause"), id: Id, position: Position }),
  z.object({
    kind: z.literal("resume"),
    id: Id,
    position: Position,
    text: z.string(),
    deadlineAt: z.iso.datetime(),
  }),
]);
export type RunnerCommand = z.infer<typeof RunnerCommand>;

export const RunnerCommands = z.object({ commands: z.array(RunnerCommand) });
export type RunnerCommands = z.infer<typeof RunnerCommands>;

/** May the agent be let go? Not while there are orders after `after`, which is the last that the runner has. */
export const RunnerClosing = z.object({ after: z.int().nonnegative() });
export type RunnerClosing = z.infer<typeof RunnerClosing>;

export const RunnerClosed = z.object({ closed: z.boolean() });
export type RunnerClosed = z.infer<typeof RunnerClosed>;

/** May the agent use that tool? Asked again until there is a decision. */
export const RunnerQuestion = z.object({
  key: z.string().min(1).max(200),
  tool: z.string().max(1_000),
  /** As JSON; what is longer is cut. */
  input: z.string().max(LIMITS.eventBodyBytes),
});
export type RunnerQuestion = z.infer<typeof RunnerQuestion>;

export const RunnerVerdict = z.object({ decision: Decision.nullable(), reason: z.string() });
export type RunnerVerdict = z.infer<typeof RunnerVerdict>;
