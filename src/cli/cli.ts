import { createProgram } from "./program.ts";
import { report } from "./report.ts";

/** Reads the command line and does what it says. */
export async function run(argv: string[]): Promise<void> {
  // Whoever reads no more (`| head`) has had enough, which is no fault.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: Error & { code?: string }) => {
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}
