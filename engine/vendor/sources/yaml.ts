export { parseDocument } from "npm:yaml@2.9.1";
