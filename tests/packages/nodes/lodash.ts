// package: lodash@4
// kind: data
import _ from "npm:lodash@4";

export default async function run(): Promise<unknown> {
  return { works: _.chunk([1, 2, 3], 2).length === 2 };
}
