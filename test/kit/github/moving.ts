import { changesOf, refsOf } from "./git.ts";
import { afterPush } from "./push.ts";
import type { RepositoryCall } from "./router.ts";

/** Moves refs, and lets all follow that follows a push. */
export async function moving<T>(
  { world, hooks, repository, user }: RepositoryCall,
  move: () => Promise<T>,
): Promise<T> {
  const before = await refsOf(repository);
  const result = await move();
  await afterPush(world, hooks, repository, user, changesOf(before, await refsOf(repository)));
  return result;
}
