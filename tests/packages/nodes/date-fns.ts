// package: date-fns@4
// kind: data
import { addDays } from "npm:date-fns@4";

export default async function run(): Promise<unknown> {
  return { works: addDays(new Date(0), 1).getTime() === 86_400_000 };
}
