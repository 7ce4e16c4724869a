/** Tests that may be skipped in CI, by the beginning of their full name, each with the reason. Keep it short. */
export const ALLOWED_SKIPS: { test: string; because: string }[] = [];
