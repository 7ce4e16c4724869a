/** Tests that may be skipped in CI, by a part of their full name, each with the reason. Keep it short. */
export const ALLOWED_SKIPS: { test: string; because: string }[] = [
  {
    test: "(skipped where control groups cannot be written)",
    because:
      "memory can only be limited by control groups, which a hub that is not root has to be given",
  },
  {
    test: "(skipped where there is no such limit)",
    because:
      "the number of processes can only be limited by control groups or by prlimit in a user namespace",
  },
  {
    test: "(skipped where no container engine can be started",
    because:
      "a private container engine can only be started by root, where Docker is installed and may make control groups",
  },
  {
    test: "(skipped where nothing can be mounted)",
    because: "only root can give a test a small disk of its own",
  },
  {
    test: "(skipped where the tests are not root)",
    because: "only root can start a hub as somebody else",
  },
  {
    test: "(skipped where no network namespace can be made)",
    because: "only root can make a network in which nothing leaves the machine",
  },
  {
    test: "(skipped where openssl or the program itself is missing)",
    because: "the hub needs neither; they show that what agents use finds its way out",
  },
];
