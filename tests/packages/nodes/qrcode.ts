// package: qrcode@1
// kind: image
import QRCode from "npm:qrcode@1";

export default async function run(): Promise<unknown> {
  return { works: (await QRCode.toString("a", { type: "svg" })).includes("<svg") };
}
