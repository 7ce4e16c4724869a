export type Variables = Readonly<Record<string, string | undefined>>;

/** The environment of this process: the one place that reads it. */
export const environment: Variables = process.env;
