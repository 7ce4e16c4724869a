import { HubError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import type { GatewaySession } from "../session.ts";
import { NO_SHA } from "./commands.ts";
import type { RefCommand } from "./commands.ts";
import type { LeasePush } from "./credentials.ts";
import type { GitLimits } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { GitError } from "./process.ts";
import type { PushOutcome } from "./push.ts";
import type { Quarantine } from "./quarantine.ts";
import { credentialSettings, forgeError, isUnauthenticated, remoteUrl } from "./remote.ts";

/** Hands a push that has been vetted on to the forge, and says what became of it. */
export type Forward = (
  session: GatewaySession,
  commands: readonly RefCommand[],
  quarantine: Quarantine,
) => Promise<PushOutcome>;

export function createForward(options: {
  mirror: Mirror;
  lease: LeasePush;
  serverUrl: string;
  limits: GitLimits;
}): Forward {
  const { mirror, limits } = options;

  /** Answers what git said at the end, or its failure. */
  async function send(
    session: GatewaySession,
    commands: readonly RefCommand[],
    quarantine: Quarantine,
    credential: Secret | null,
  ): Promise<string | GitError> {
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
      return stderr;
    } catch (error) {
      if (error instanceof GitError) return error;
      throw error;
    }
  }

  async function conclude(
    session: GatewaySession,
    commands: readonly RefCommand[],
    quarantine: Quarantine,
    sent: string | GitError,
    credential: Secret | null,
  ): Promise<PushOutcome> {
    if (sent instanceof GitError) return await explainFailure(session, commands, sent, credential);
    await mirror.adopt(session.repository, quarantine.objectsDir, commands);
    const refs = commands.map(({ ref }) => ({ ref, reason: null }));
    return { refs, text: forgeText(sent, credential) };
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

  return async (session, commands, quarantine) => {
    using lease = await options.lease(session, null);
    const first = await send(session, commands, quarantine, lease.credential);
    // Who is taken for nobody has changed nothing, so it can be done again by somebody.
    if (!(first instanceof GitError) || lease.credential === null || !isUnauthenticated(first))
      return await conclude(session, commands, quarantine, first, lease.credential);
    using other = await options.lease(session, lease.credential);
    const { credential } = other;
    const isAnother = credential !== null && credential.reveal() !== lease.credential.reveal();
    const second = isAnother ? await send(session, commands, quarantine, credential) : first;
    return await conclude(session, commands, quarantine, second, credential);
  };
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
