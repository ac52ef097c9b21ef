#!/usr/bin/env node
// JavaScript, because older versions of Node cannot read TypeScript and lack modules that the emulator needs.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 24 || (major === 24 && minor >= 12)) {
  await import('./cli.ts')
} else {
  process.stderr.write(
    `communication-emulator: Node 24.12 or newer is required, and this is Node ${process.versions.node}: put a newer one first on PATH\n`,
  )
  process.exitCode = 1
}
