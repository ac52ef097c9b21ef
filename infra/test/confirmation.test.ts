import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { confirmByName } from '../teardown/confirmation.ts'

it.each([
  ['dev\n', true],
  ['prod\n', false],
  ['y\n', false],
  ['', false],
])('interprets the input %j for the stack dev as %s', async (typed, isConfirmed) => {
  const input = new PassThrough()
  input.end(typed)
  expect(await confirmByName('dev', 'destroy the stack', { input, output: new PassThrough() })).toBe(isConfirmed)
})
