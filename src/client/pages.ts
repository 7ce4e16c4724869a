import type { Hub, SessionQuery, SessionResource } from "./hub.ts";

const PAGE = 100;

/** Sessions page by page, the newest first, as far as somebody reads. */
export async function* everySession(
  hub: Pick<Hub, "list">,
  query: Omit<SessionQuery, "cursor">,
): AsyncGenerator<SessionResource, void, undefined> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Hub["list"]>> = await hub.list({
      limit: PAGE,
      ...query,
      ...(cursor === null ? {} : { cursor }),
    });
    yield* page.sessions;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
