// JavaScript, and imported first, because older versions of Node cannot read TypeScript and lack modules that the emulator needs.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (!((major === 22 && minor >= 19) || (major === 24 && minor >= 5) || major > 24)) {
  throw new Error(
    `communication-emulator: Node 22.19, 24.5 or newer is required, and this is Node ${process.versions.node}: put a newer one first on PATH`,
  )
}
