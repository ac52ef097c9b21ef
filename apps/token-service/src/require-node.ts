// Imported first: older versions of Node fail in a dependency, without a reason.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(
    `fastify-communication-tokens: Node 22.19 or newer is required, and this is Node ${process.versions.node}: put a newer one first on PATH`,
  )
}
