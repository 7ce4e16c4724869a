import { z } from "zod";
import { clientEnvironment } from "../../config/client-environment.ts";
import { NewSession } from "../../core/session.ts";
import type { SessionBudget } from "../../core/session.ts";
import type { Hub } from "../../client/hub.ts";
import type { StartOptions } from "../commands/start.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";
import { aboutThread } from "./about-thread.ts";
import { wholeName } from "./repository-name.ts";
import { showNew } from "./show-new.ts";

/** Makes a session, starts it unless told not to, and follows it when told so. */
export async function start(
  repository: string,
  prompt: string,
  options: StartOptions,
): Promise<void> {
  const request = requestFor(wholeName(repository, clientEnvironment().owner), prompt, options);
  const hub = await connect(options);
  const dependencies = await dependenciesOf(hub, options.dependsOn ?? []);
  const session = await hub.create({ ...request, dependencies });
  await showNew(hub, session, { ...options, follow: options.follow === true && options.start });
}

function requestFor(repository: string, prompt: string, options: StartOptions): NewSession {
  const budget = budgetOf(options);
  const limits = {
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.cpu === undefined ? {} : { cpuShares: options.cpu }),
    ...(options.pids === undefined ? {} : { pidsLimit: options.pids }),
  };
  const about = aboutThread(repository, options);
  const parsed = NewSession.safeParse({
    type: options.type,
    project: {
      repository,
      requirements: prompt,
      ...(options.branch === undefined ? {} : { branch: options.branch }),
      ...(about === null ? {} : { context: about.context }),
    },
    ...(about === null ? {} : { metadata: about.metadata }),
    options: {
      autoStart: options.start,
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      ...(budget === null ? {} : { budget }),
    },
  });
  if (parsed.success) return parsed.data;
  throw new CommandError("usage", z.prettifyError(parsed.error), { cause: parsed.error });
}

function budgetOf({ budget, budgetTokens, minutes }: StartOptions): SessionBudget | null {
  if ([budget, budgetTokens, minutes].every((one) => one === undefined)) return null;
  const costUsd = Number(budget?.replace(/^\$/, ""));
  if (budget !== undefined && !(costUsd > 0))
    throw new CommandError("usage", "--budget must be a sum in dollars, as 2.50");
  return {
    ...(budget === undefined ? {} : { costUsd }),
    ...(budgetTokens === undefined ? {} : { tokens: budgetTokens }),
    ...(minutes === undefined ? {} : { minutes: minutesOf(minutes) }),
  };
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== "" && minutes > 0) return minutes;
  throw new CommandError("usage", "--minutes must be a number of minutes, as 30");
}

async function dependenciesOf(hub: Hub, ids: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of ids) found.push((await findSession(hub, id)).id);
  return found;
}
