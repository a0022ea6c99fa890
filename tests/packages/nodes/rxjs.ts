// package: rxjs@7
// kind: data
import { firstValueFrom, of } from "npm:rxjs@7";

export default async function run(): Promise<unknown> {
  return { works: await firstValueFrom(of(1)) === 1 };
}
