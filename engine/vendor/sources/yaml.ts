export { CORE_SCHEMA, FAILSAFE_SCHEMA, load, nullCoreTag, YAMLException } from "npm:js-yaml@5.5.0";
