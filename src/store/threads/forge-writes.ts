import type { Database } from "../database.ts";

/** What the hub has written on a forge, by a key of its own: so that nothing is written twice. */
export interface ForgeWrites {
  /** What is known of an earlier try: none; one whose end nobody has seen; or what came of it. */
  begin(key: string): Promise<"never" | "begun" | { id: number; url: string }>;
  done(key: string, written: { id: number; url: string }): Promise<void>;
}

export function createForgeWrites({ db }: Database): ForgeWrites {
  return {
    async begin(key) {
      const { numInsertedOrUpdatedRows: made } = await db
        .insertInto("forge_writes")
        .values({ key })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (made === 1n) return "never";
      const { remote_id: id, url } = await db
        .selectFrom("forge_writes")
        .select(["remote_id", "url"])
        .where("key", "=", key)
        .executeTakeFirstOrThrow();
      return id === null || url === null ? "begun" : { id: Number(id), url };
    },
    async done(key, { id, url }) {
      await db
        .updateTable("forge_writes")
        .set({ remote_id: id, url })
        .where("key", "=", key)
        .execute();
    },
  };
}
