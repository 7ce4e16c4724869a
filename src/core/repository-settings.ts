import { z } from "zod";
import { ToolRule } from "./approval.ts";
import { EGRESS_PRESETS, EgressRule } from "./egress.ts";

const MAX_RULES = 100;
const MAX_USERS = 200;
const MAX_LABELS = 100;
const MAX_COMMANDS = 20;
const COMMAND_CHARS = 4_000;
/** Attempts to mend the checks of one pull request, whoever asks for more. */
export const MAX_REPAIRS = 3;
/** Labels that are put on one issue. */
export const MAX_LABELS_PUT = 5;

/** A reference of an image: registry, name, tag, digest. Source: the grammar of distribution's `reference` package. */
export const ImageName = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9][a-z0-9.:_/-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/i,
    "must be the name of an image",
  )
  .refine((name) => !name.includes("//") && !name.endsWith("/"), "must be the name of an image");

export const ModelName = z.string().regex(/^[\w.:@/-]{1,300}$/, "must be the name of a model");
/** GitHub's own limit is 50. */
const LabelName = z.string().trim().min(1).max(50);
const Login = z
  .string()
  .max(100)
  .transform((name) => name.replace(/^@/, ""))
  .pipe(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*(\[bot\])?$/, "must be a user's name"));
/** `on` and `off` are words in today's YAML, and what people write. */
const Switch = z
  .union([z.boolean(), z.enum(["on", "off"])], "must be on or off")
  .transform((value) => value === true || value === "on");

const Spending = z.strictObject({
  costUsd: z.number().positive().max(1_000_000).optional(),
  tokens: z.int().positive().max(1_000_000_000_000).optional(),
});

const Triggers = z
  .strictObject({
    mention: Switch.optional(),
    label: Switch.optional(),
    assignee: Switch.optional(),
    review: Switch.optional(),
    changesRequested: Switch.optional(),
    autoLabel: Switch.optional(),
    repair: Switch.optional(),
  })
  .describe("What makes the bot begin something; each on or off.");
export type Trigger = keyof z.infer<typeof Triggers>;

const Who = z
  .strictObject({
    permission: z.enum(["read", "triage", "write", "maintain", "admin"]).optional(),
    users: z.array(Login).min(1).max(MAX_USERS).optional(),
  })
  .describe("Who may ask the bot, of those whom the operator lets.");

const Models = z
  .strictObject({
    work: ModelName.optional(),
    plan: ModelName.optional(),
    review: ModelName.optional(),
    repair: ModelName.optional(),
    label: ModelName.optional(),
  })
  .describe("Models by what is to be done, of those that the operator allows.");
/** What a model may be chosen for. */
export type ModelUse = keyof z.infer<typeof Models>;

const Budget = z
  .strictObject({ session: Spending.optional(), day: Spending.optional() })
  .describe("What one session, and all that are begun on one day (UTC), may cost.");

const ReviewPolicy = z
  .strictObject({
    automatic: Switch.optional(),
    waitForAllChecks: Switch.optional(),
    workflow: z.string().trim().min(1).max(200).optional(),
    ownPullRequests: Switch.optional(),
    mayFail: Switch.optional(),
  })
  .describe(
    "Reviews of pull requests: by themselves or not, after which checks, of the bot's own, and whether their check fails when changes are asked for.",
  );

const LabelPolicy = z
  .strictObject({
    mode: z.enum(["on", "dry-run", "off"]).optional(),
    exclude: z.array(LabelName).max(MAX_LABELS).optional(),
    max: z.int().min(1).max(MAX_LABELS_PUT).optional(),
  })
  .describe("Labels that the bot puts on new issues.");

const RepairPolicy = z
  .strictObject({
    attempts: z.int().min(0).max(MAX_REPAIRS).optional(),
    label: LabelName.optional(),
  })
  .describe("Mending of failing checks.");

const Ask = z
  .strictObject({
    tools: z.array(ToolRule).max(MAX_RULES).default([]),
    hosts: z.array(EgressRule).max(MAX_RULES).default([]),
  })
  .describe("Tools and hosts that a person has to allow, besides those of the operator.");

/** `.github/claude-hub.yml`: what a repository asks for. Whether it gets that is the operator's decision. */
export const RepositorySettings = z.strictObject({
  /** An address is never a repository's to open. */
  egress: z
    .array(EgressRule.refine(({ isAddress }) => !isAddress, "is an address"))
    .max(MAX_RULES)
    .default([])
    .describe("Hosts that its sandboxes may reach, too."),
  egressPresets: z
    .array(z.enum(EGRESS_PRESETS))
    .max(EGRESS_PRESETS.length)
    .default([])
    .describe("Package tools whose hosts its sandboxes may reach, too, of those that are allowed."),
  image: ImageName.nullable()
    .default(null)
    .describe("Image of its sandboxes, for the runtime docker."),
  setup: z
    .array(z.string().trim().min(1).max(COMMAND_CHARS))
    .max(MAX_COMMANDS)
    .default([])
    .describe("Commands that prepare the workspace, one after the other, before the agent begins."),
  ask: Ask.optional(),
  triggers: Triggers.optional(),
  label: LabelName.optional().describe("The label that asks for work, in place of the operator's."),
  who: Who.optional(),
  models: Models.optional(),
  budget: Budget.optional(),
  review: ReviewPolicy.optional(),
  labels: LabelPolicy.optional(),
  repair: RepairPolicy.optional(),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

export const NO_REPOSITORY_SETTINGS: RepositorySettings = {
  egress: [],
  egressPresets: [],
  image: null,
  setup: [],
};

export const REPOSITORY_SETTINGS_PATH = ".github/claude-hub.yml";
export const REPOSITORY_SETTINGS_BYTES = 65_536;

/** Whether an image names the registry that it comes from: others are looked for on this machine alone. */
export function namesRegistry(image: string): boolean {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first);
}
