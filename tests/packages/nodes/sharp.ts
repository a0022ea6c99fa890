// package: sharp@0.34
// kind: image
// cannot: native code; use `npm:jimp`
import it from "npm:sharp@0.34";

export default () => ({ works: it !== undefined });
