// Starts the stand-in provider for a Pulumi CLI of your own. See README.md in this folder.
import {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPort,
  wellKnownTenantId,
} from '@acs-kit/communication-emulator'
import { program } from 'commander'
import { startStandInProvider } from './stand-in-provider.ts'

interface Flags {
  readonly metadataHost: string
  readonly subscriptionId: string
}

program
  .name('stand-in-provider')
  .description(
    'Start a stand-in for the Pulumi provider azure-native that uses a running emulator, and print the variable that ' +
      'attaches it to the Pulumi CLI. It runs until it is stopped.',
  )
  .option('--metadata-host <url>', 'URL of the emulator', `https://localhost:${wellKnownPort}`)
  .option('--subscription-id <id>', 'subscription of the resources', '00000000-0000-4000-8000-000000000000')
  .showHelpAfterError()
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

await program.parseAsync()
