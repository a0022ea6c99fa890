/**
 * Hides the values of secrets in text that leaves the process.
 *
 * A secret is hidden as it is and in the forms that it takes on its way: base64 (also in the middle
 * of something longer, as in Basic authentication), hex, URL encoding, and the escapes of JSON and of
 * the console. This guards against carelessness; a node that wants to give a secret away can.
 */

const MASK = "***";

/** Shorter values would hide half of every line: a `1` is no secret. */
const MIN_LENGTH = 4;

/** For values that the contract does not name: `admin` or `true` beside a password is no secret. */
const MIN_UNNAMED_LENGTH = 8;

/** For the fixed middle part of a base64 text: below this it would match by chance. */
const MIN_BASE64 = 6;

/** A multi-line secret, such as a key in PEM form, is also hidden line by line. */
const MIN_LINE = 12;

/** `named` are the secrets of the contract, `others` whatever else was provisioned. */
export function createMask(
  named: readonly string[],
  others: readonly string[] = [],
): (text: string) => string {
  const long = others.filter((it) => it.length >= MIN_UNNAMED_LENGTH);
  const forms = [...new Set([...named, ...long].flatMap(allForms))]
    .sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp(forms.map(escape).join("|"), "g");
  return (text) => text.replace(pattern, MASK);
}

function allForms(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= MIN_LINE);
  return [secret, secret.trim(), ...lines].filter((it) => it.length >= MIN_LENGTH).flatMap(forms);
}

function forms(text: string): string[] {
  const url = safely(() => encodeURIComponent(text)) ?? text;
  const lowerCaseUrl = url.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  const hex = new TextEncoder().encode(text).toHex();
  const json = JSON.stringify(text).slice(1, -1);
  // The console writes a text with double quotes in it between single ones or backticks.
  const inspected = json.replaceAll('\\"', '"');
  return [
    ...[text, url, lowerCaseUrl, form, json, inspected],
    ...[hex, hex.toUpperCase()],
    ...base64Forms(text),
  ];
}

/** `encodeURIComponent` throws on half a surrogate pair. */
function safely<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/**
 * Base64 takes three bytes at a time, so what a text becomes depends on where it starts; for each
 * of the three places, the characters that hold nothing but the text.
 */
function base64Forms(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const standard = [0, 1, 2].map((offset) => {
    const encoded = encode(new Uint8Array([...new Uint8Array(offset), ...bytes]));
    const firstWhole = Math.ceil((offset * 4) / 3);
    const lastWhole = Math.floor(((offset + bytes.length) * 4) / 3);
    return encoded.slice(firstWhole, lastWhole);
  });
  const forms = standard.filter((it) => it.length >= MIN_BASE64);
  return forms.flatMap((it) => [it, it.replaceAll("+", "-").replaceAll("/", "_")]);
}

function encode(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
