import { z } from "zod";
import type { Repository } from "../../core/repository.ts";
import type { Account, CheckDraft, ForgeRepository } from "../forge.ts";
import { WrittenAnswer } from "./mapping.ts";
import type { Written } from "./writes.ts";

const Made = z.object({
  check_runs: z.array(
    z.object({
      id: z.int(),
      external_id: z.string().nullish(),
      app: z.object({ id: z.int() }).nullish(),
    }),
  ),
});
const ANNOTATIONS = 50;

/** Makes checks, each once, and brings them up to date. Only Apps may. */
export function createCheckWriter(options: {
  send(method: string, route: string, parameters: Record<string, unknown>): Promise<unknown>;
  repository: Repository;
  written: Written;
  self(): Promise<{ account: Account; appId: number | null }>;
}): ForgeRepository["check"] {
  const { send, repository, written, self } = options;

  /** A check that an earlier try has made, although nobody saw the answer. */
  async function checkOf(key: string, { sha, name }: CheckDraft): Promise<number | null> {
    const { appId } = await self();
    const { check_runs: runs } = Made.parse(
      await send("GET", "/commits/{sha}/check-runs", {
        sha,
        check_name: name,
        filter: "all",
        per_page: 100,
        ...(appId === null ? {} : { app_id: appId }),
      }),
    );
    return runs.find((run) => run.external_id === key && run.app?.id === appId)?.id ?? null;
  }

  return async (key, draft) => {
    const { appId } = await self();
    if (appId === null) return null;
    const name = `${repository} ${key}`;
    const before = await written.begin(name);
    const found = before === "begun" ? await checkOf(key, draft) : null;
    if (found !== null) await written.done(name, { id: found, url: "" });
    const known = typeof before === "object" ? before.id : found;
    if (known !== null) {
      await send("PATCH", "/check-runs/{id}", { id: known, ...checkBody(draft) });
      return { id: known };
    }
    const { id } = WrittenAnswer.parse(
      await send("POST", "/check-runs", {
        ...checkBody(draft),
        head_sha: draft.sha,
        external_id: key,
      }),
    );
    await written.done(name, { id, url: "" });
    return { id };
  };
}

function checkBody({
  name,
  status,
  conclusion,
  title,
  summary,
  detailsUrl,
  annotations,
}: CheckDraft) {
  return {
    name,
    status,
    ...(conclusion === undefined ? {} : { conclusion }),
    ...(detailsUrl === undefined ? {} : { details_url: detailsUrl }),
    output: {
      title,
      summary,
      annotations: (annotations ?? []).slice(0, ANNOTATIONS).map((one) => ({
        path: one.path,
        start_line: one.startLine,
        end_line: one.endLine,
        annotation_level: one.level,
        message: one.message,
      })),
    },
  };
}
