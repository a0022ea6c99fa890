export { CORE_SCHEMA, load, YAMLException } from "npm:js-yaml@5.5.0";
