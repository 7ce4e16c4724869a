import type { NewApiToken } from "../core/api-token.ts";
import { createClient } from "./client.ts";
import { reach } from "./hub.ts";
import { refusalOf } from "./refusal.ts";

export type Tokens = ReturnType<typeof createTokens>;
/** As the hub shows it. */
export type TokenResource = Awaited<ReturnType<Tokens["list"]>>["tokens"][number];

/** The tokens of a hub, as functions; for who may do everything there. */
export function createTokens({ url, token }: { url: string; token: string }) {
  const { tokens } = createClient({ url, token, fetch: reach });
  return {
    async create(json: NewApiToken) {
      const answer = await tokens.$post({ json });
      if (answer.status !== 201) throw await refusalOf(answer);
      return await answer.json();
    },
    /** Newest first. */
    async list(cursor?: string) {
      const answer = await tokens.$get({ query: cursor === undefined ? {} : { cursor } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async revoke(id: string) {
      const answer = await tokens[":id"].$delete({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
  };
}
