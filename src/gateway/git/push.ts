import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import type { GatewaySession } from "../session.ts";
import { NO_SHA } from "./commands.ts";
import type { RefCommand } from "./commands.ts";
import type { GitLimits } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { GitError } from "./process.ts";
import { openQuarantine } from "./quarantine.ts";
import type { Quarantine } from "./quarantine.ts";
import { credentialSettings, forgeError, remoteUrl } from "./remote.ts";
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

export function createPush(options: {
  mirror: Mirror;
  ownership: BranchOwnership;
  credential(repository: Repository): Promise<Secret | null>;
  serverUrl: string;
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
}): Push {
  const { mirror, ownership, limits } = options;

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
    for (const command of commands)
      if (!(await ownership.claim(session.repository, branchOf(command) ?? "", session.sessionId)))
        return "the branch belongs to another session";
    return null;
  }

  async function forward(
    session: GatewaySession,
    commands: readonly RefCommand[],
    quarantine: Quarantine,
  ): Promise<PushOutcome> {
    const credential = await options.credential(session.repository);
    const args = [
      "push",
      "--porcelain",
      "--no-verify",
      "--recurse-submodules=no",
      ...(commands.length > 1 ? ["--atomic"] : []),
      // The forge itself checks that nothing moved since we looked; empty: the branch must not exist.
      ...commands.map(
        ({ ref, oldSha }) => `--force-with-lease=${ref}:${oldSha === NO_SHA ? "" : oldSha}`,
      ),
      remoteUrl(options.serverUrl, session.repository),
      ...commands.map(({ ref, newSha }) => `${newSha}:${ref}`),
    ];
    try {
      const { stderr } = await quarantine.git(args, {
        settings: credentialSettings(options.serverUrl, credential),
        timeoutMs: limits.transferTimeoutMs,
      });
      await mirror.adopt(session.repository, quarantine.objectsDir, commands);
      const refs = commands.map(({ ref }) => ({ ref, reason: null }));
      return { refs, text: forgeText(stderr, credential) };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      return await explainFailure(session, commands, error, credential);
    }
  }

  async function explainFailure(
    session: GatewaySession,
    commands: readonly RefCommand[],
    error: GitError,
    credential: Secret | null,
  ): Promise<PushOutcome> {
    const text = forgeText(error.stderr, credential);
    const verdicts = readVerdicts(error.stdout);
    if (verdicts.size > 0) {
      const refs = commands.map(({ ref }) => ({ ref, reason: verdicts.get(ref) ?? "refused" }));
      return { refs, text };
    }
    // No verdict: the connection broke, perhaps after the forge had taken the push. Only the forge knows.
    const meaning = forgeError(error);
    const forge = await mirror.freshen(session.repository, 0).catch(() => null);
    const refs = commands.map(({ ref, newSha }) => ({
      ref,
      reason:
        forge?.refs.get(ref) === newSha
          ? null
          : meaning instanceof HubError
            ? meaning.message
            : "the forge refused the push",
    }));
    return { refs, text };
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

/** Lines like `!<TAB>sha:refs/heads/x<TAB>[remote rejected] (reason)`. Source: git-push(1), OUTPUT. */
function readVerdicts(porcelain: string): Map<string, string> {
  const verdicts = new Map<string, string>();
  for (const line of porcelain.split("\n")) {
    const [flag, names = "", summary = ""] = line.split("\t");
    if (flag !== "!") continue;
    const reason = /\((.*)\)$/.exec(summary)?.[1] ?? summary;
    const text = reason === "stale info" ? "the branch has moved, fetch first" : reason;
    verdicts.set(names.slice(names.indexOf(":") + 1), text);
  }
  return verdicts;
}

function forgeText(stderr: string, credential: Secret | null): string {
  const text = stderr
    .split("\n")
    .filter((line) => line.startsWith("remote: "))
    .map((line) => `${line.slice("remote: ".length).trimEnd()}\n`)
    .join("")
    // oxlint-disable-next-line no-control-regex -- a terminal must not be driven from afar
    .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f]/g, "")
    .slice(0, 4_000);
  return credential === null ? text : text.replaceAll(credential.reveal(), "***");
}
