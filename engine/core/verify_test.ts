import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { Shape } from "./shape.ts";
import { readVerification, type Verification } from "./verification.ts";
import { idOf, prove, VerifyError } from "./verify.ts";

/** A request that is genuine, as whoever sends such requests documents it. */
interface Vector {
  readonly verify: Record<string, unknown>;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

const SLACK_COMMAND =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V" +
  "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
  "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554" +
  "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

/** Of RFC 4231 and RFC 2202, test case 2. */
const RFC = { secret: "Jefe", body: "what do ya want for nothing?", at: 0 };
const RFC_SHA256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

const VECTORS: Readonly<Record<string, Vector>> = {
  "GitHub's documentation": {
    verify: { hmac: "sha256", header: "X-Hub-Signature-256", prefix: "sha256=" },
    secret: "It's a Secret to Everybody",
    headers: {
      "x-hub-signature-256":
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    },
    body: "Hello, World!",
    at: 0,
  },
  "RFC 4231 in base64": {
    ...RFC,
    verify: { hmac: "sha256", header: "X-Signature", encoding: "base64" },
    headers: { "x-signature": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=" },
  },
  "RFC 4231 with SHA-512 and a prefix that has spaces": {
    ...RFC,
    verify: { hmac: "sha512", header: "X-Signature", prefix: "keyId=a, signature = " },
    headers: {
      "x-signature":
        "keyId=a, signature = 164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    },
  },
  "RFC 2202 with SHA-1": {
    ...RFC,
    verify: { hmac: "sha1", header: "X-Signature" },
    headers: { "x-signature": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
  },
  "Svix's documentation": {
    verify: { type: "standard-webhooks" },
    secret: "whsec_plJ3nmyCDGBKInavdOK15jsl",
    headers: {
      "svix-id": "msg_loFOjxBNrRLzqYUf",
      "svix-timestamp": "1731705121",
      "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    },
    body: '{"event_type":"ping","data":{"success":true}}',
    at: 1731705121,
  },
  "Standard Webhooks' reference implementation": {
    verify: { type: "standard-webhooks" },
    secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature":
        "v1a,Zm9v v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
    at: 1614265330,
  },
  // Stripe shows no secret: the header is the documentation's, with the signature of openssl.
  "Stripe's documentation": {
    verify: { type: "stripe" },
    secret: "whsec_test_secret",
    headers: {
      "stripe-signature":
        "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v1=691252e266ce41cb94d709c84e9580d4172b117a510bbc81723f657d2cd5d215,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
    },
    body: '{"id":"evt_test","object":"event"}',
    at: 1492774577,
  },
  "Slack's documentation": {
    verify: { type: "slack" },
    secret: "8f742231b10e8888abcd99yyyzzz85a5",
    headers: {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
    body: SLACK_COMMAND,
    at: 1531420618,
  },
  "RFC 6750": {
    verify: { type: "bearer" },
    secret: "mF_9.B5f-4.1JqM",
    headers: { authorization: "Bearer mF_9.B5f-4.1JqM" },
    body: "{}",
    at: 0,
  },
  "GitLab's documentation": {
    verify: { type: "bearer", header: "X-Gitlab-Token" },
    secret: "a, secret token",
    headers: { "x-gitlab-token": "a, secret token" },
    body: "{}",
    at: 0,
  },
};

function verificationOf({ verify }: Vector): Verification {
  return readVerification(new Shape({ secret: "s.k", ...verify }, "verify"));
}

interface Asked {
  readonly marks: string[];
  readonly reads: number;
}

async function ask(vector: Vector, headers = new Headers(vector.headers)): Promise<Asked> {
  let reads = 0;
  const body = (): Promise<Uint8Array> => {
    reads++;
    return Promise.resolve(new TextEncoder().encode(vector.body));
  };
  const delivery = { headers, now: vector.at * 1000, body };
  const marks = await prove(verificationOf(vector), vector.secret, delivery)
    .catch((error) => Promise.reject(Object.assign(error, { reads })));
  return { marks, reads };
}

/** Every vector, changed into one that must be refused. */
async function refusedAll(
  reason: RegExp,
  change: (vector: Vector) => Partial<Vector> | undefined,
): Promise<string[]> {
  const refused: string[] = [];
  for (const [name, vector] of Object.entries(VECTORS)) {
    const changed = change(vector);
    if (changed === undefined) continue;
    await rejects(ask({ ...vector, ...changed }), (error: VerifyError) => {
      equal(error.status, 401, name);
      match(error.message, reason, name);
      return true;
    }, name);
    refused.push(name);
  }
  return refused;
}

const isBearer = ({ verify }: Vector): boolean => verify["type"] === "bearer";
const isTimed = ({ at }: Vector): boolean => at > 0;

for (const [name, vector] of Object.entries(VECTORS)) {
  Deno.test(`a request is genuine: ${name}`, async () => {
    const { marks, reads } = await ask(vector);
    deepEqual([marks.length, reads], isBearer(vector) ? [0, 0] : [1, 1]);
  });
}

Deno.test("a signature by another key is refused", async () => {
  const refused = await refusedAll(
    /is not this body's signature|does not hold the token/,
    (it) => ({
      secret: it.verify["type"] === "standard-webhooks" ? "whsec_AAAA" : `${it.secret}x`,
    }),
  );
  equal(refused.length, Object.keys(VECTORS).length);
});

Deno.test("a body that was changed by one byte is refused", async () => {
  const refused = await refusedAll(
    /is not this body's signature/,
    (it) => isBearer(it) ? undefined : { body: `${it.body} ` },
  );
  equal(refused.length, 8);
});

Deno.test("a request without one of its headers is refused, and its body not read", async () => {
  for (const [name, vector] of Object.entries(VECTORS)) {
    for (const header of Object.keys(vector.headers)) {
      for (const value of [undefined, ""]) {
        const headers = new Headers(vector.headers);
        headers.delete(header);
        if (value !== undefined) headers.set(header, value);
        await rejects(ask(vector, headers), (error: VerifyError & { reads: number }) => {
          deepEqual([error.status, error.reads], [401, 0], `${name} ${header}`);
          match(error.message, /is missing$/);
          return true;
        });
      }
    }
  }
});

Deno.test("a header that is there twice is refused, in either order and also when it is the same", async () => {
  const other: Record<string, string> = {
    "stripe-signature": "t=1492774577,v1=00",
    "webhook-signature": "v1,AAAA",
    "svix-signature": "v1,AAAA",
  };
  for (const [name, vector] of Object.entries(VECTORS)) {
    for (const [header, value] of Object.entries(vector.headers)) {
      for (
        const pair of [[value, value], [other[header] ?? "0", value], [value, other[header] ?? "0"]]
      ) {
        const headers = new Headers(vector.headers);
        headers.delete(header);
        pair.forEach((it) => headers.append(header, it));
        await rejects(
          ask(vector, headers),
          { name: "VerifyError", status: 401 },
          `${name} ${pair}`,
        );
      }
    }
  }
});

Deno.test("a time is good up to the tolerance, to either side, and no longer", async () => {
  for (const [name, vector] of Object.entries(VECTORS).filter(([, it]) => isTimed(it))) {
    for (const off of [300, -300]) {
      equal((await ask({ ...vector, at: vector.at + off })).marks.length, 1, name);
    }
  }
  const late = await refusedAll(
    /says 301 s ago, beyond the tolerance of 5m/,
    (it) => isTimed(it) ? { at: it.at + 301 } : undefined,
  );
  const early = await refusedAll(
    /says 301 s from now/,
    (it) => isTimed(it) ? { at: it.at - 301 } : undefined,
  );
  deepEqual([late.length, early.length], [4, 4]);
  const strict = await refusedAll(
    /beyond the tolerance of 10s/,
    (it) =>
      isTimed(it) ? { at: it.at + 11, verify: { ...it.verify, tolerance: "10s" } } : undefined,
  );
  equal(strict.length, 4);
});

Deno.test("a time that is changed is no longer the one that was signed", async () => {
  const clocks = ["svix-timestamp", "webhook-timestamp", "x-slack-request-timestamp"];
  const refused = await refusedAll(/is not this body's signature/, ({ headers, at }) => {
    const changed = Object.entries(headers).map(([name, value]) =>
      clocks.includes(name)
        ? [name, String(at + 1)]
        : [name, value.replace(`t=${at}`, `t=${at + 1}`)]
    );
    return isTimed({ at } as Vector) ? { headers: Object.fromEntries(changed) } : undefined;
  });
  equal(refused.length, 4);
});

Deno.test("a time that is none is refused before the body is read", async () => {
  for (const time of ["now", "-1", "1e9", "1492774577.5", " ", "99999999999999"]) {
    for (const [name, vector] of Object.entries(VECTORS).filter(([, it]) => isTimed(it))) {
      const headers = Object.entries(vector.headers).map(([key, value]) =>
        key.endsWith("timestamp") ? [key, `x${time}`] : [key, value.replace(/^t=\d+/, `t=${time}`)]
      );
      await rejects(
        ask(vector, new Headers(headers as [string, string][])),
        { status: 401, reads: 0 },
        `${name} ${time}`,
      );
    }
  }
});

Deno.test("what is no signature is refused before the body is read", async () => {
  const vector = VECTORS["GitHub's documentation"] as Vector;
  const good = vector.headers["x-hub-signature-256"] ?? "";
  const broken = [
    good.slice(7),
    `sha1=${good.slice(7)}`,
    `${good}x`,
    "sha256=",
    "sha256=zz",
    good.slice(0, -1),
  ];
  for (const value of broken) {
    const headers = new Headers({ "x-hub-signature-256": value });
    await rejects(ask(vector, headers), { status: 401, reads: 0 }, value);
  }
  const short = new Headers({ "x-hub-signature-256": good.slice(0, -2) });
  await rejects(ask(vector, short), /is not this body's signature/);
});

Deno.test("one signature written in two ways is the same one to whoever looks for replays", async () => {
  const vector = VECTORS["RFC 2202 with SHA-1"] as Vector;
  const upper = new Headers({ "x-signature": vector.headers["x-signature"]?.toUpperCase() ?? "" });
  deepEqual((await ask(vector, upper)).marks, (await ask(vector)).marks);
  const base64 = VECTORS["RFC 4231 in base64"] as Vector;
  deepEqual((await ask(base64)).marks, [`signature ${RFC_SHA256}`]);
  const unpadded = new Headers({
    "x-signature": base64.headers["x-signature"]?.slice(0, -1) ?? "",
  });
  deepEqual((await ask(base64, unpadded)).marks, [`signature ${RFC_SHA256}`]);
});

Deno.test("only the first signatures are looked at: each costs a look at the whole body", async () => {
  const vector = VECTORS["Standard Webhooks' reference implementation"] as Vector;
  const good = vector.headers["webhook-signature"]?.split(" ").at(-1) ?? "";
  const after = (others: number): Headers =>
    new Headers({ ...vector.headers, "webhook-signature": "v1,AAAA ".repeat(others) + good });
  equal((await ask(vector, after(4))).marks.length, 1);
  await rejects(ask(vector, after(5)), /is not this body's signature/);
});

Deno.test("a secret of Standard Webhooks that is not base64 is this side's fault", async () => {
  for (const secret of ["whsec_", "whsec_!a", "not base64!"]) {
    const vector = { ...VECTORS["Svix's documentation"] as Vector, secret };
    await rejects(ask(vector), (error: VerifyError) => {
      deepEqual([error.status, error.message.includes("!")], [503, false]);
      return true;
    });
  }
});

Deno.test("a bearer token has its scheme in any case, and nothing around it", async () => {
  const vector = VECTORS["RFC 6750"] as Vector;
  const with_ = (authorization: string): Headers => new Headers({ authorization });
  await ask(vector, with_(`bearer   ${vector.secret}`));
  for (
    const value of [vector.secret, `Basic ${vector.secret}`, `Bearer ${vector.secret}x`, "Bearer"]
  ) {
    await rejects(ask(vector, with_(value)), /does not hold the token/, value);
  }
});

Deno.test("a delivery has the name that its sender gives it", () => {
  const headers = new Headers({ "webhook-id": "msg_1" });
  const input = { id: "evt_1", "event_id": "Ev1" };
  const ids = Object.entries(VECTORS).map(([, it]) => idOf(verificationOf(it), headers, input));
  deepEqual(ids, [...Array(4), "msg_1", "msg_1", "evt_1", "Ev1", ...Array(2)]);
  for (const other of [null, [], "x", { id: 1 }, { id: "" }]) {
    equal(
      idOf(verificationOf(VECTORS["Stripe's documentation"] as Vector), headers, other),
      undefined,
    );
  }
});
