import { deepEqual, equal, rejects } from "node:assert/strict";
import { fetchWithin } from "./redirect.ts";

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

/** A `fetch` that answers with these redirects, and then with 200. */
function redirecting(...answers: [number, string][]): [typeof fetch, Sent[]] {
  const sent: Sent[] = [];
  const send = (url: unknown, init?: RequestInit): Promise<Response> => {
    const headers = Object.fromEntries(new Headers(init?.headers));
    sent.push({ url: String(url), method: init?.method ?? "GET", body: init?.body, headers });
    const [status, location] = answers[sent.length - 1] ?? [200, undefined];
    const told = location === undefined ? {} : { headers: { location } };
    return Promise.resolve(new Response(null, { status, ...told }));
  };
  return [send as typeof fetch, sent];
}

const FROM = new URL("https://a.example.com/x");
const KEY = { "x-api-key": "k", "content-type": "text/plain" };

Deno.test("a redirect to another origin loses the headers, also on the way back", async () => {
  const [send, sent] = redirecting(
    [307, "/y"],
    [307, "https://b.example.com/"],
    [302, "https://a.example.com/z"],
  );
  const answer = await fetchWithin(send, FROM, { headers: KEY });
  deepEqual(sent.map((it) => [it.url, it.headers]), [
    ["https://a.example.com/x", KEY],
    ["https://a.example.com/y", KEY],
    ["https://b.example.com/", { "content-type": "text/plain" }],
    ["https://a.example.com/z", { "content-type": "text/plain" }],
  ]);
  equal(answer.redirected, true);
});

Deno.test("another port or scheme is another origin", async () => {
  for (const to of ["https://a.example.com:444/", "http://a.example.com/"]) {
    const [send, sent] = redirecting([308, to]);
    await fetchWithin(send, FROM, { headers: KEY });
    equal(sent[1]?.headers["x-api-key"], undefined, to);
  }
});

Deno.test("method and body go on as the Fetch standard says", async () => {
  const after = async (status: number, method: string): Promise<Sent | undefined> => {
    const [send, sent] = redirecting([status, "/y"]);
    await fetchWithin(send, FROM, { method, headers: KEY, body: "B" });
    return sent[1];
  };
  for (const status of [301, 302, 303]) {
    const next = await after(status, "POST");
    deepEqual([next?.method, next?.body, next?.headers], ["GET", undefined, { "x-api-key": "k" }]);
  }
  for (const [status, method] of [[307, "POST"], [308, "POST"], [302, "PUT"]] as const) {
    const next = await after(status, method);
    deepEqual([next?.method, next?.body, next?.headers], [method, "B", KEY]);
  }
});

Deno.test("who wants redirects handled otherwise, or sends no header of their own, gets the platform's", async () => {
  const seen: unknown[] = [];
  const send = ((_: unknown, init?: RequestInit) => {
    seen.push(init?.redirect);
    return Promise.resolve(new Response());
  }) as typeof fetch;
  await fetchWithin(send, FROM, { headers: KEY, redirect: "error" });
  await fetchWithin(send, FROM, { headers: KEY, redirect: "manual" });
  await fetchWithin(send, FROM, { headers: { accept: "text/plain" } });
  deepEqual(seen, ["error", "manual", undefined]);
});

Deno.test("a redirect without end, to no URL or out of HTTP is an error", async () => {
  const loop: [number, string][] = Array.from({ length: 30 }, () => [302, "/x"]);
  const [endless, sent] = redirecting(...loop);
  await rejects(fetchWithin(endless, FROM, { headers: KEY }), /more than 20 times/);
  equal(sent.length, 21);
  for (const to of ["file:///etc/passwd", "data:,x", "https://"]) {
    const [send] = redirecting([302, to]);
    await rejects(
      fetchWithin(send, FROM, { headers: KEY }),
      /^TypeError: https:\/\/a.example.com redirects to/,
    );
  }
});
