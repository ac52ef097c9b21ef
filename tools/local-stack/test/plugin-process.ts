// Replaces the genuine plugin in tests: an executable that the engine finds in the cache, starts, and configures with
// nothing but the variables of the genuine provider.
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

const { port } = await startStandInProvider({
  metadataHost: process.env['ARM_METADATA_HOSTNAME']!,
  tenantId: process.env['ARM_TENANT_ID']!,
  clientId: process.env['ARM_CLIENT_ID']!,
  clientSecret: process.env['ARM_CLIENT_SECRET']!,
  subscriptionId: process.env['ARM_SUBSCRIPTION_ID']!,
})
process.stdout.write(`${port}\n`)
