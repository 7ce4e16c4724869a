import { dataDirectory, readMaxima } from "./config.ts";
import { environment } from "./environment.ts";
import type { Variables } from "./environment.ts";
import { SETTINGS } from "./settings.ts";
import { createSource } from "./source.ts";

export type EngineProxyConfig = ReturnType<typeof loadEngineProxyConfig>;

/** Reads flags and the environment alone: `hub.env` is in the hub's hands, whom the proxy does not trust. */
export function loadEngineProxyConfig({
  flags = {},
  env = environment,
}: {
  flags?: Variables;
  env?: Variables;
}) {
  const source = createSource([flags, env]);
  return {
    dir: dataDirectory({ flags, env }),
    logLevel: source.required(SETTINGS.logLevel),
    listen: source.required(SETTINGS.proxyListen),
    engine: source.required(SETTINGS.proxyEngine),
    images: [
      source.required(SETTINGS.containerImage),
      ...(source.optional(SETTINGS.allowedImages) ?? []),
      ...(source.optional(SETTINGS.proxyImages) ?? []),
    ],
    runnerPath: source.optional(SETTINGS.runnerPath),
    agentPath: source.optional(SETTINGS.agentPath),
    limits: {
      ...readMaxima(source),
      diskBytes: source.required(SETTINGS.diskLimit),
      ociRuntime: source.optional(SETTINGS.containerRuntime),
    },
  };
}
