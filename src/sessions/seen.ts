import { allowsRepository, isWhole, sees } from "../core/access.ts";
import type { Access } from "../core/access.ts";
import { forbidden, ifFound, invalidRequest, notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import type { NewSession, Session } from "../core/session.ts";
import type { Sessions } from "./sessions.ts";

/**
 * The same sessions, as far as they are there for who asks: of others everything says that they do not exist. A new
 * function of `Sessions` has to be said here, too, or this does not compile.
 */
export function sessionsFor(sessions: Sessions, access: Access): Sessions {
  if (isWhole(access)) return sessions;

  async function get(id: Id): Promise<Session> {
    const session = await sessions.get(id);
    const { orchestrationId, project } = session;
    if (!sees(access, { repository: project.repository, orchestrationId }))
      throw notFound("Session");
    return session;
  }

  async function isSeen(id: Id): Promise<boolean> {
    return (await ifFound(get(id))) !== null;
  }

  /** Does it with sessions that are seen. */
  function seen<Rest extends unknown[], Result>(
    work: (id: Id, ...rest: Rest) => Promise<Result>,
  ): (id: Id, ...rest: Rest) => Promise<Result> {
    return async (id, ...rest) => {
      await get(id);
      return await work(id, ...rest);
    };
  }

  /** What a session names is seen as well; what is not, is answered as what is not there. */
  async function checkNamed({ dependencies, continues }: NewSession): Promise<void> {
    const seenOnes = await Promise.all(dependencies.map(isSeen));
    const unknown = dependencies.find((_, index) => seenOnes[index] === false);
    if (unknown !== undefined) throw invalidRequest("dependencies", `no session ${unknown}`);
    if (continues !== undefined && !(await isSeen(continues)))
      throw invalidRequest("continues", `no session ${continues}`);
  }

  return {
    async create(input, more = {}) {
      if (!allowsRepository(access, input.project.repository)) throw notFound("Repository");
      if (access.orchestrationId !== null && input.type === "coordination")
        throw forbidden("type: sessions of an orchestration do not coordinate others");
      await checkNamed(input);
      const orchestrationId = access.orchestrationId ?? more.orchestrationId ?? null;
      return await sessions.create(input, { ...more, orchestrationId });
    },
    get,
    start: seen(sessions.start),
    ahead: seen(sessions.ahead),
    latest: seen(sessions.latest),
    writerOf: async (repository, branch) =>
      allowsRepository(access, repository) ? await sessions.writerOf(repository, branch) : null,
    async list({ orchestrationId = access.orchestrationId ?? undefined, ...query }) {
      const { repository } = query;
      const isOther =
        (access.orchestrationId !== null && orchestrationId !== access.orchestrationId) ||
        (repository !== undefined && !allowsRepository(access, repository));
      if (isOther) return { sessions: [], nextCursor: null };
      return await sessions.list({
        ...query,
        orchestrationId,
        repositories: access.repositories ?? undefined,
      });
    },
    cancel: seen(sessions.cancel),
    output: seen(sessions.output),
    artifacts: seen(sessions.artifacts),
    diff: seen(sessions.diff),
    answer: seen(sessions.answer),
  };
}
