import type { ForkOptions } from "../commands/fork.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { showNew } from "./show-new.ts";

export async function forkSession(
  text: string,
  requirements: string,
  options: ForkOptions,
): Promise<void> {
  const hub = await connect(options);
  const { id } = await findSession(hub, text);
  const at = options.at === undefined ? {} : { at: options.at };
  const forked = await hub.fork(id, { ...at, requirements, autoStart: true });
  await showNew(hub, forked, options);
}

export async function retrySession(text: string, options: ForkOptions): Promise<void> {
  const hub = await connect(options);
  const { id } = await findSession(hub, text);
  const model = options.model === undefined ? {} : { model: options.model };
  await showNew(hub, await hub.retry(id, model), options);
}
