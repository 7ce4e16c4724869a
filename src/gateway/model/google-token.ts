import { forbidden } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** The hub's access to Google Cloud. */
export interface GoogleToken {
  /** Throws `forbidden` when there is none to be had. */
  get(): Promise<Secret>;
  /** Has it fetched anew at the next call, although it looks good. */
  renew(): void;
}

/** By Google's standard chain, or from the file that is named. The library keeps tokens until shortly before their end. */
export async function createGoogleToken(options: {
  credentialsFile: string | null;
  projectId: string;
}): Promise<GoogleToken> {
  const { GoogleAuth } = await import("google-auth-library");
  const { credentialsFile, projectId } = options;
  const open = () =>
    new GoogleAuth({
      scopes: SCOPE,
      // Named, so that nothing goes looking for one.
      projectId,
      ...(credentialsFile === null ? {} : { keyFilename: credentialsFile }),
    });
  let current: ReturnType<typeof open> | undefined;

  return {
    async get() {
      const auth = (current ??= open());
      try {
        const token = await auth.getAccessToken();
        if (typeof token === "string" && token !== "") return new Secret(token);
        throw new Error("there was no token in the answer");
      } catch (error) {
        // What is mended meanwhile shall be found.
        if (current === auth) current = undefined;
        throw forbidden("The hub has no usable credentials for Vertex AI; its log says why", error);
      }
    },
    renew() {
      current = undefined;
    },
  };
}
