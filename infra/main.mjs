// Entry point of the Pulumi program. In JavaScript, so that an older Node can report that it is too old.
import { RunError } from '@pulumi/pulumi'

// Pulumi maps the stack trace of each resource to sources, which takes a fifth of a preview. Node strips types in place, so it is exact.
Error.prepareStackTrace = undefined

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  throw new RunError(
    `Node 24.12 or newer is required, and this is Node ${process.versions.node}: put a newer one first on PATH`,
  )
}
const outputs = Object.entries(await import('./index.ts'))
// Pulumi warns of undefined outputs, such as the keys of a keyless stack.
// oxlint-disable-next-line import/no-default-export -- Pulumi's form for outputs of a program that loads modules dynamically
export default Object.fromEntries(outputs.filter(([, value]) => value !== undefined))
