// Prints the outputs of a stack that locate its mapping table, as JSON, for `readOutputs`.
import { requirePulumi } from '../pulumi-cli/pulumi-cli.ts'
import { openStack } from './open-stack.ts'
import { readStackState } from './read-stack-state.ts'

try {
  const { outputs } = await readStackState(await openStack(process.argv[2]!, await requirePulumi()))
  // Other outputs are secret.
  const { mappingTableEndpoint, mappingTable, resourceId } = outputs
  process.stdout.write(JSON.stringify({ mappingTableEndpoint, mappingTable, resourceId }))
} catch (error) {
  process.stderr.write((error as Error).message)
  process.exitCode = 1
}
