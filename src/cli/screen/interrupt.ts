/** Aborted by Ctrl-C, or when somebody ends the command; a second time ends it at once. */
export function untilInterrupted(): AbortSignal & Disposable {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, abort);
  return Object.assign(controller.signal, {
    [Symbol.dispose]: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, abort);
    },
  });
}
