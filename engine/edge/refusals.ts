/** Requests that Deno's permissions refuse: told in words of the workflow, and not repeated. */

import { explainError, isRefusal } from "../core/refusal.ts";

/** A request, what was thrown, and how often it may be refused before its run ends. */
export type RefusalListener = (request: string, error: Error, most: number) => void;

let listener: RefusalListener = () => {};

/** Libraries repeat what failed, with longer and longer pauses; a permission will not come. */
const MOST = 2;

/** What a socket or a `fetch` was refused. */
export function noteRefusal(request: string, error: Error, most: number): void {
  listener(request, error, most);
}

/** To be called before a node is loaded. */
export function watchRefusals(refused: RefusalListener): void {
  listener = refused;
  const native = globalThis.fetch;
  const guarded = (input: URL | RequestInfo, init?: RequestInit): Promise<Response> =>
    native(input, init).catch((error) => {
      if (!(error instanceof Error) || !isRefusal(error)) throw error;
      explainError(error);
      noteRefusal(describe(input, init), error, MOST);
      throw error;
    });
  Object.defineProperty(guarded, "name", { value: "fetch" });
  globalThis.fetch = guarded;
}

function describe(input: URL | RequestInfo, init?: RequestInit): string {
  const isRequest = input instanceof Request;
  const method = init?.method ?? (isRequest ? input.method : "GET");
  return `${method} ${isRequest ? input.url : input}`;
}
