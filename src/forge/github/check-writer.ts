import { isNotFound } from "../../core/errors.ts";
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
const Count = z
  .object({ output: z.object({ annotations_count: z.int().min(0) }) })
  .transform(({ output }) => output.annotations_count);
const ONE = "/check-runs/{id}";
/** In one request; GitHub takes no more. */
const AT_ONCE = 50;
const MAX_ANNOTATIONS = 200;
type Annotations = NonNullable<CheckDraft["annotations"]>;

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

  /** Annotations are added to what is there, so those that an earlier try has brought are not sent again. */
  async function annotate(id: number, draft: CheckDraft, sent: number): Promise<void> {
    const all = annotationsOf(draft);
    for (let from = sent; from < all.length; from += AT_ONCE)
      await send("PATCH", ONE, {
        id,
        ...checkBody(draft, all.slice(from, from + AT_ONCE)),
      });
  }

  async function update(id: number, draft: CheckDraft): Promise<void> {
    const all = annotationsOf(draft);
    const there = all.length === 0 ? 0 : Count.parse(await send("GET", ONE, { id }));
    const until = there + AT_ONCE;
    await send("PATCH", ONE, { id, ...checkBody(draft, all.slice(there, until)) });
    await annotate(id, draft, until);
  }

  /** Whether it is still there. */
  async function isUpdated(id: number, draft: CheckDraft): Promise<boolean> {
    try {
      await update(id, draft);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  return async (key, draft) => {
    const { appId } = await self();
    if (appId === null) return null;
    const name = `${repository} ${key} ${draft.sha}`;
    const before = await written.begin(name);
    if (typeof before === "object" && (await isUpdated(before.id, draft))) return { id: before.id };
    const found = before === "never" ? null : await checkOf(key, draft);
    if (found !== null) {
      await written.done(name, { id: found, url: "" });
      await update(found, draft);
      return { id: found };
    }
    const { id } = WrittenAnswer.parse(
      await send("POST", "/check-runs", {
        ...checkBody(draft, annotationsOf(draft).slice(0, AT_ONCE)),
        head_sha: draft.sha,
        external_id: key,
      }),
    );
    await written.done(name, { id, url: "" });
    await annotate(id, draft, AT_ONCE);
    return { id };
  };
}

function annotationsOf({ annotations = [] }: CheckDraft): Annotations {
  return annotations.slice(0, MAX_ANNOTATIONS);
}

function checkBody(
  { name, status, conclusion, title, summary, detailsUrl, actions }: CheckDraft,
  annotations: Annotations,
) {
  return {
    name,
    status,
    ...(conclusion === undefined ? {} : { conclusion }),
    ...(detailsUrl === undefined ? {} : { details_url: detailsUrl }),
    ...(actions === undefined ? {} : { actions }),
    output: {
      title,
      summary,
      annotations: annotations.map((one) => ({
        path: one.path,
        start_line: one.startLine,
        end_line: one.endLine,
        annotation_level: one.level,
        message: one.message,
      })),
    },
  };
}
