import { later } from "../core/later.ts";

/** Loaded with the first call: hubs that nobody asks this way need none of it. */
export const library = later(() => import("@modelcontextprotocol/server"));
export type Library = Awaited<ReturnType<typeof library>>;
