import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { z } from "zod";

/** For one image, however slow its registry. */
const PULL_MS = 3_600_000;

/** Told of each layer how far it is, in bytes. */
export type OnProgress = (layer: string, bytes: number, totalBytes: number) => void;

const Line = z.object({
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number(), total: z.number() }).partial().nullish(),
});

/** Fetches an image from its registry. */
export async function pullImage(
  docker: Docker,
  name: string,
  onProgress: OnProgress,
): Promise<void> {
  const answer = await docker.pull(name, { abortSignal: AbortSignal.timeout(PULL_MS) });
  // The answer is a success before anything has been fetched; what goes wrong stands in it.
  for await (const text of createInterface({ input: Readable.from(answer) })) {
    const { id, error, progressDetail } = Line.parse(JSON.parse(text));
    if (error !== undefined)
      throw Object.assign(new Error(`the image ${name} cannot be pulled: ${error}`), {
        statusCode: 500,
      });
    const { current, total } = progressDetail ?? {};
    if (id !== undefined && current !== undefined) onProgress(id, current, total ?? current);
  }
}
