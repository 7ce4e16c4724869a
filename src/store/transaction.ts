import { asHubError } from "./failure.ts";
import type { Database, Tx } from "./database.ts";

const ATTEMPTS = 5;
// serialization_failure, deadlock_detected
const COLLISIONS: readonly unknown[] = ["40001", "40P01"];

/** Runs `work` in one transaction; again from its beginning when it collided with another one. */
export async function inTransaction<Result>(
  { db }: Pick<Database, "db">,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const collided = error instanceof Error && "code" in error && COLLISIONS.includes(error.code);
      if (!collided || attempt === ATTEMPTS) throw asHubError(error);
    }
}
