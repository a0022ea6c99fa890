/** The empty node: whatever is measured with it is the engine. */
// deno-lint-ignore require-await -- nodes are async functions
export default async function run(): Promise<unknown> {
  return {};
}
