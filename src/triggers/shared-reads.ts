import type { ForgeRepository } from "../forge/forge.ts";

/** A repository of which each thing is read once, however many rules of one delivery ask for it. What failed is asked anew. */
export function createSharedReads(repository: ForgeRepository): ForgeRepository {
  const { facts, permissionOf, issue, pullRequest, comment, comments } = repository;
  return {
    ...repository,
    facts: shared(facts),
    permissionOf: shared(permissionOf),
    issue: shared(issue),
    pullRequest: shared(pullRequest),
    comment: shared(comment),
    comments: shared(comments),
  };
}

function shared<Given extends (string | number)[], T>(
  read: (...given: Given) => Promise<T>,
): (...given: Given) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (...given) => {
    const key = given.join(" ");
    const found = known.get(key);
    if (found !== undefined) return found;
    const answer = read(...given);
    known.set(key, answer);
    // Told where it is awaited.
    answer.catch(() => known.delete(key));
    return answer;
  };
}
