export {
  CORE_SCHEMA,
  FAILSAFE_SCHEMA,
  load,
  mergeTag,
  nullCoreTag,
  YAMLException,
} from "npm:js-yaml@5.5.0";
