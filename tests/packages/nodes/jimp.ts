// package: jimp@1
// kind: image
import { Jimp } from "npm:jimp@1";

export default async function run(): Promise<unknown> {
  const image = new Jimp({ width: 2, height: 2 });
  return { works: (await image.getBuffer("image/png")).length > 0 };
}
