// package: canvas@3
// kind: image
// cannot: native code; use `npm:pureimage`
import it from "npm:canvas@3";

export default () => ({ works: it !== undefined });
