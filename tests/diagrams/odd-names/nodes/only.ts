export default (ctx: { dependency(name: string): unknown }) => [ctx.dependency("end"), ctx.dependency("odd")];
