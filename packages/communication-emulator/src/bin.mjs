#!/usr/bin/env node
// The command, in JavaScript: an older Node can neither read TypeScript nor load what the emulator needs.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 24 || (major === 24 && minor >= 12)) {
  await import('./cli.ts')
} else {
  process.stderr.write(
    `communication-emulator: Node 24.12 or newer is required, and this is Node ${process.versions.node}\n`,
  )
  process.exitCode = 1
}
