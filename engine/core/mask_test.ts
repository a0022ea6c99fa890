import { equal } from "node:assert/strict";
import { createMask } from "./mask.ts";

const SECRET = "s3cr3t/value+with?signs";
const mask = createMask([SECRET, "pw"]);

function hides(text: string): void {
  equal(mask(`<${text}>`), "<***>");
}

Deno.test("a secret is hidden as it is, and wherever it stands", () => {
  hides(SECRET);
  equal(mask(`a ${SECRET} b ${SECRET}`), "a *** b ***");
});

Deno.test("a secret is hidden when URL-encoded, by any of the usual rules", () => {
  hides(encodeURIComponent(SECRET));
  hides(encodeURIComponent(SECRET).toLowerCase());
  const spaced = createMask(["two words"]);
  equal(spaced(new URLSearchParams({ key: "two words" }).toString()), "key=***");
});

Deno.test("a secret is hidden in base64, whatever stands before and after it", () => {
  for (const before of ["", "u", "us", "use", "user:"]) {
    for (const after of ["", "x", "xy", "xyz"]) {
      const encoded = btoa(before + SECRET + after);
      const masked = mask(encoded);
      equal(masked.includes("***"), true, `${before}|${after}`);
      equal(masked.length < 20, true, masked);
      const forUrls = encoded.replaceAll("+", "-").replaceAll("/", "_");
      equal(mask(forUrls).includes("***"), true, forUrls);
    }
  }
});

Deno.test("a secret is hidden in the escapes of JSON, and line by line", () => {
  const key = "-----BEGIN KEY-----\nabcdefghijklmnop\n-----END KEY-----\n";
  const hidden = createMask([key, 'say "friend"']);
  equal(hidden(JSON.stringify({ key })), '{"key":"***"}');
  equal(hidden(JSON.stringify('say "friend"')), '"***"');
  equal(hidden("line: abcdefghijklmnop."), "line: ***.");
});

Deno.test("a secret is hidden in whichever quotes the console writes it", () => {
  for (const secret of ["a\\b\\cdef", 'a\\"b"cdef', `a\\"b'cdef`, "a\\\"b'c`def", 'tab\t\\tab"e']) {
    const hidden = createMask([secret])(Deno.inspect({ secret }));
    equal(hidden.includes("***"), true, hidden);
  }
});

Deno.test("the longest secret is hidden whole when a shorter one is part of it", () => {
  equal(createMask(["hunter", "hunter-two"])("hunter-two hunter"), "*** ***");
});

Deno.test("values too short to be secrets do not blank out the log", () => {
  equal(mask("pwd of pw"), "pwd of pw");
});

Deno.test("characters outside ASCII are hidden too", () => {
  const hidden = createMask(["p\u00e4ssw\u00f6rt\u{1f512}", "\ud800broken"]);
  equal(hidden(encodeURIComponent("p\u00e4ssw\u00f6rt\u{1f512}")), "***");
  equal(hidden("\ud800broken"), "***");
});

Deno.test("signs with a meaning in patterns are taken literally", () => {
  equal(createMask(["a.*b(c"])("a.*b(c axxb(c"), "*** axxb(c");
});
