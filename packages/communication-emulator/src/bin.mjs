#!/usr/bin/env node
await import('./require-node.mjs').then(
  () => import('./cli.ts'),
  ({ message }) => {
    process.stderr.write(`${message}\n`)
    process.exitCode = 1
  },
)
