/** Standard input, line by line, as the lines come. */

const CHUNK_BYTES = 64 * 1024;

export async function* inputLines(): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let rest = "";
  for (;;) {
    const size = await Deno.stdin.read(chunk);
    rest += decoder.decode(chunk.subarray(0, size ?? 0), { stream: size !== null });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (size === null) return;
  }
}
