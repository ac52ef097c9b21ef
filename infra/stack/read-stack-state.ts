import { StackNotFoundError, type Stack } from '@pulumi/pulumi/automation/index.js'
import { toReason } from './open-stack.ts'
import { toStackState, type StackState } from './stack-state.ts'

const notLoggedIn =
  'not logged in to a Pulumi backend: run `pulumi login`, or for the local stack `eval "$(npm run --silent outputs -- --pulumi)"`'

/** Reads the state of a stack. Needs its passphrase or key, because the Automation API includes secrets. They stay in memory. */
export async function readStackState(stack: Stack): Promise<StackState> {
  try {
    return toStackState(await stack.exportStack())
  } catch (error) {
    if (error instanceof StackNotFoundError) {
      throw new Error(`stack ${stack.name} does not exist: list the stacks with \`pulumi stack ls\` in infra/`, {
        cause: error,
      })
    }
    const reason = toReason(error)
    if (reason.includes('PULUMI_ACCESS_TOKEN')) throw new Error(notLoggedIn, { cause: error })
    throw new Error(`pulumi stack export failed, correct this and run the command again: ${reason}`, {
      cause: error,
    })
  }
}
