import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { forbidden } from "../../core/errors.ts";
import { branchUrl } from "../../core/repository.ts";
import type { GatewaySession } from "../session.ts";
import { readBody } from "./body.ts";
import { NO_SHA, readCommands } from "./commands.ts";
import type { GitLimits } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { FLUSH, createPacketReader, pktLine } from "./pkt-line.ts";
import type { PacketReader } from "./pkt-line.ts";
import type { Push, PushOutcome, PushedRef } from "./push.ts";
import { encodeReport } from "./report.ts";
import type { Slots } from "./slots.ts";
import { headers } from "./upload.ts";
import type { RefCommand } from "./commands.ts";
import { branchOf } from "./vet.ts";

/**
 * No push-options and no push-cert: what is not offered, git does not even try. Deletion is offered, so that it is we
 * who refuse it: git alone would do so without a word of why.
 */
const CAPABILITIES =
  "report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 agent=claude-hub";

/** Writes: what `git push` sends, vetted and passed on. */
export interface Receive {
  advertise(req: IncomingMessage, res: ServerResponse, session: GatewaySession): Promise<void>;
  serve(req: IncomingMessage, res: ServerResponse, session: GatewaySession): Promise<void>;
}

export function createReceive(options: {
  mirror: Mirror;
  push: Push;
  slots: Slots;
  /** `GITHUB_SERVER_URL`; people find the branch below it. */
  serverUrl: string;
  limits: GitLimits;
  onPush(pushed: PushedRef): Promise<void>;
  log: Logger;
}): Receive {
  const { mirror, limits } = options;

  async function report(
    session: GatewaySession,
    commands: readonly RefCommand[],
    outcome: PushOutcome,
  ): Promise<void> {
    for (const [index, { ref, reason }] of outcome.refs.entries()) {
      const command = commands[index];
      if (command === undefined) continue;
      const branch = branchOf(command);
      const url =
        reason === null && branch !== null
          ? branchUrl(options.serverUrl, session.repository, branch)
          : null;
      const { oldSha, newSha } = command;
      const accepted = reason === null;
      const { sessionId } = session;
      await options
        .onPush({ sessionId, ref, branch, oldSha, newSha, accepted, reason, url })
        // The forge has decided; the client must hear what, whether or not we could write it down.
        .catch((error: unknown) =>
          options.log.error({ err: error, sessionId, ref, accepted }, "push could not be recorded"),
        );
    }
  }

  return {
    async advertise(_req, res, session) {
      assertMayPush(session);
      const { refs } = await mirror.freshen(session.repository, limits.mirrorMaxAgeMs);
      const names = refs.size === 0 ? [["capabilities^{}", NO_SHA] as const] : [...refs];
      const lines = names.map(([ref, sha], index) =>
        pktLine(`${sha} ${ref}${index === 0 ? `\0${CAPABILITIES}` : ""}\n`),
      );
      res.writeHead(200, headers("receive-pack-advertisement"));
      res.end(Buffer.concat([pktLine("# service=git-receive-pack\n"), FLUSH, ...lines, FLUSH]));
    },
    async serve(req, res, session) {
      assertMayPush(session);
      const reader = createPacketReader(readBody(req, limits.maxPushBytes));
      const request = await readCommands(reader);
      if (request === "probe") {
        res.writeHead(200, headers("receive-pack-result"));
        res.end();
        return;
      }
      const { commands } = request;
      const outcome =
        commands.length > limits.maxPushRefs
          ? tooMany(commands, limits.maxPushRefs)
          : await options.slots.run(session.sessionId, () =>
              options.push(session, commands, reader.rest()),
            );
      await report(session, commands.slice(0, limits.maxPushRefs), outcome);
      // git listens only when it has said everything.
      if (!(await drain(reader))) res.setHeader("connection", "close");
      res.writeHead(200, headers("receive-pack-result"));
      res.end(encodeReport(outcome.refs, outcome.text, request.capabilities));
    },
  };
}

function tooMany(commands: readonly RefCommand[], maxRefs: number): PushOutcome {
  const reason = `one push may change at most ${maxRefs} refs`;
  return { refs: commands.map(({ ref }) => ({ ref, reason })), text: "" };
}

function assertMayPush(session: GatewaySession): void {
  if (session.policy.pushBranches.length === 0) throw forbidden("This session may not push");
}

/** False when there is more than a push may have. */
async function drain(reader: PacketReader): Promise<boolean> {
  try {
    for await (const chunk of reader.rest()) void chunk;
    return true;
  } catch {
    return false;
  }
}
