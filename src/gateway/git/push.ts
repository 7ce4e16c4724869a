import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { GatewaySession } from "../session.ts";
import { NO_SHA } from "./commands.ts";
import type { RefCommand } from "./commands.ts";
import type { LeasePush } from "./credentials.ts";
import { createForward } from "./forward.ts";
import type { GitLimits } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { GitError } from "./process.ts";
import { openQuarantine } from "./quarantine.ts";
import type { Refs } from "./remote.ts";
import type { RefReport } from "./report.ts";
import { branchOf, vetCommand } from "./vet.ts";
import type { BranchOwnership } from "./vet.ts";

/** One ref of a push, with what became of it. */
export interface PushedRef {
  sessionId: Id;
  ref: string;
  /** Null unless the ref is a branch. */
  branch: string | null;
  oldSha: string;
  newSha: string;
  accepted: boolean;
  /** Null when accepted. */
  reason: string | null;
  /** Where a person can see the branch; null when refused. */
  url: string | null;
}

export interface PushOutcome {
  refs: RefReport[];
  /** What the forge had to say to the person. */
  text: string;
}

/** Vets one push as a whole: either every ref passes and the forge takes all of them, or nothing happens. */
export type Push = (
  session: GatewaySession,
  commands: readonly RefCommand[],
  pack: AsyncIterable<Uint8Array>,
) => Promise<PushOutcome>;

export interface PushDeps {
  mirror: Mirror;
  ownership: BranchOwnership;
  lease: LeasePush;
  serverUrl: string;
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
}

export function createPush(options: PushDeps): Push {
  const { mirror, ownership, limits } = options;
  const forward = createForward(options);

  /** What the forge has; asked again when the client saw something else. */
  async function forgeRefs(
    session: GatewaySession,
    commands: readonly RefCommand[],
  ): Promise<Refs> {
    const refs = await mirror.freshen(session.repository, limits.mirrorMaxAgeMs);
    const agrees = commands.every(({ ref, oldSha }) => (refs.refs.get(ref) ?? NO_SHA) === oldSha);
    return agrees ? refs : await mirror.freshen(session.repository, 0);
  }

  async function vetAll(
    session: GatewaySession,
    commands: readonly RefCommand[],
  ): Promise<RefReport[] | null> {
    const forge = await forgeRefs(session, commands);
    const refs: RefReport[] = [];
    for (const command of commands) {
      const twice = commands.filter(({ ref }) => ref === command.ref).length > 1;
      const reason = twice
        ? "the push names this ref twice"
        : await vetCommand(command, session, forge, ownership);
      refs.push({ ref: command.ref, reason });
    }
    if (refs.every(({ reason }) => reason === null)) return null;
    return refs.map(({ ref, reason }) => ({
      ref,
      reason: reason ?? "another ref of this push was refused",
    }));
  }

  async function claimAll(session: GatewaySession, commands: readonly RefCommand[]) {
    const { repository, sessionId } = session;
    for (const command of commands) {
      const branch = branchOf(command) ?? "";
      if (!(await ownership.claim(repository, branch, sessionId, command.newSha)))
        return "the branch belongs to another session";
    }
    return null;
  }

  return async (session, commands, pack) => {
    const refused = await vetAll(session, commands);
    if (refused !== null) return { refs: refused, text: "" };
    const all = (reason: string) => ({
      refs: commands.map(({ ref }) => ({ ref, reason })),
      text: "",
    });
    return await mirror.scratch.with(async (place) => {
      const quarantine = await openQuarantine({
        place,
        mirrorDir: mirror.dir(session.repository),
        environment: options.environment,
        limits,
      });
      try {
        await quarantine.take(pack);
      } catch (error) {
        return all(packReason(error, limits.maxPushBytes));
      }
      const reason =
        (await quarantine.vet(commands, session.policy)) ?? (await claimAll(session, commands));
      return reason === null ? await forward(session, commands, quarantine) : all(reason);
    });
  };
}

function packReason(error: unknown, maxBytes: number): string {
  const tooLarge = `the push is larger than ${maxBytes} bytes`;
  if (error instanceof HubError && error.code === "payload_too_large") return tooLarge;
  if (!(error instanceof GitError)) throw error;
  if (error.stderr.includes("exceeds maximum allowed size")) return tooLarge;
  const last = error.stderr.trim().split("\n").at(-1) ?? "";
  return `git refused the pack: ${last.replace(/^(fatal|error): /, "").slice(0, 200)}`;
}
