// package: bcrypt@6
// kind: security
// cannot: native code; use `npm:bcryptjs`
import it from "npm:bcrypt@6";

export default () => ({ works: it !== undefined });
