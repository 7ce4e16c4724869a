import type { Logger } from "pino";
import type { Config } from "../../config/config.ts";
import type { ModelForm } from "../../core/job.ts";
import { createUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

/** Opens the way to the model that is configured; `form` is what agents are told of it. */
export async function openModel(
  { access, name, families, serverTools }: Config["model"],
  log: Logger,
): Promise<{ upstream: Upstream; form: ModelForm }> {
  if (access.form === "anthropic" && access.apiKey === null)
    log.warn(
      "ANTHROPIC_API_KEY is not set, nor another way to the model: sessions will fail at their first call",
    );
  if (access.form === "subscription")
    log.warn(
      "THE MODEL IS ASKED WITH THE LOGIN OF A CLAUDE SUBSCRIPTION: it is one person's, all sessions share its limits, and Anthropic's terms for it apply",
    );
  const models = [name, ...Object.values(families)].filter((model) => model !== null);
  const upstream = await createUpstream(access, models);
  log.info({ form: access.form, address: upstream.baseUrl, serverTools }, "way to the model");
  const form = {
    form: access.form,
    region: "region" in access ? access.region : null,
    families: { ...families },
    serverTools: [...serverTools],
  };
  return { upstream, form };
}
