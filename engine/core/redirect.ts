/**
 * `fetch` that keeps a node's own headers from another origin. The platform's follows a redirect with all of them but
 * `authorization` and `cookie`, so that a key such as `x-api-key` would go wherever the first host says.
 */

/** As many as the Fetch standard follows. */
const MOST_REDIRECTS = 20;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What may go to any origin: the names that the Fetch standard lets every page set (CORS-safelisted). */
const HARMLESS: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-language",
  "content-type",
]);

/** Headers that speak of a body. */
const OF_BODY = ["content-encoding", "content-language", "content-location", "content-type"];

/** As `send(url, init)`, but that a redirect to another origin loses the headers of `init`. */
export function fetchWithin(send: typeof fetch, url: URL, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  const follows = (init.redirect ?? "follow") === "follow";
  const guarded = [...headers.keys()].some((name) => !HARMLESS.has(name));
  return follows && guarded ? follow(send, url, { ...init, headers }) : send(url, init);
}

type Sent = RequestInit & { headers: Headers };

async function follow(send: typeof fetch, from: URL, init: Sent): Promise<Response> {
  let [url, sent] = [from, init];
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    const response = await send(url, { ...sent, redirect: "manual" });
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) {
      return count === 0 ? response : redirected(response);
    }
    await response.body?.cancel();
    const next = target(location, url);
    sent = resent(sent, response.status, next.origin === url.origin);
    url = next;
  }
  throw new TypeError(`${from.origin} redirects more than ${MOST_REDIRECTS} times`);
}

function target(location: string, base: URL): URL {
  if (!URL.canParse(location, base)) throw new TypeError(`${base.origin} redirects to no URL`);
  const next = new URL(location, base);
  if (next.hash === "") next.hash = base.hash;
  if (next.protocol === "http:" || next.protocol === "https:") return next;
  throw new TypeError(`${base.origin} redirects to ${next.protocol}, which is not followed`);
}

/** What the Fetch standard sends next, with nothing of the node's for another origin. */
function resent(sent: Sent, status: number, sameOrigin: boolean): Sent {
  const headers = new Headers(sent.headers);
  if (!sameOrigin) [...headers.keys()].filter(isOwn).forEach((name) => headers.delete(name));
  const method = (sent.method ?? "GET").toUpperCase();
  const becomesGet = status === 303
    ? method !== "GET" && method !== "HEAD"
    : status < 303 && method === "POST";
  if (!becomesGet) return { ...sent, headers };
  OF_BODY.forEach((name) => headers.delete(name));
  const { body: _, ...rest } = sent;
  return { ...rest, method: "GET", headers };
}

function isOwn(name: string): boolean {
  return !HARMLESS.has(name);
}

function redirected(response: Response): Response {
  return Object.defineProperty(response, "redirected", { value: true });
}
