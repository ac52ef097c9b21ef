// What Pulumi runs, in JavaScript: an older Node cannot read TypeScript.
import { RunError } from '@pulumi/pulumi'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  throw new RunError(
    `Node 24.12 or newer is required, and this is Node ${process.versions.node}: put a newer one first on PATH`,
  )
}
// oxlint-disable-next-line import/no-default-export -- the form of outputs that are known only after loading on demand
export default { ...(await import('./index.ts')) }
