// Starts the stand-in provider for a Pulumi CLI of your own. See README.md in this folder.
import {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPort,
  wellKnownTenantId,
} from '@acs-kit/communication-emulator'
import { createCommand, runCommand } from '@acs-kit/infra/command-line'
import { startStandInProvider } from './stand-in-provider.ts'

interface Flags {
  readonly metadataHost: string
  readonly subscriptionId: string
}

const label = 'stand-in-provider'
const description = `start a stand-in for the Pulumi provider azure-native, which uses a running emulator

Prints the variable that attaches it to the Pulumi CLI, and runs until Ctrl+C.`

const command = createCommand(
  { label, invocation: 'npx node tools/local-stack/src/stand-in-provider/main.ts' },
  description,
)
  .option('--metadata-host <url>', 'URL of the emulator', `https://localhost:${wellKnownPort}`)
  .option('--subscription-id <id>', 'subscription of the resources', '00000000-0000-4000-8000-000000000000')
  .action(async (flags: Flags) => {
    const { port } = await startStandInProvider({
      ...flags,
      // The emulator's service principal.
      tenantId: wellKnownTenantId,
      clientId: wellKnownConfidentialClientId,
      clientSecret: wellKnownClientSecret,
    })
    process.stdout.write(`PULUMI_DEBUG_PROVIDERS=azure-native:${port}\n`)
  })

await runCommand(label, command)
