import { afterAll } from 'vitest'

// An emulator in this process changes the environment, which several test files share.
const before = { ...process.env }

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})
