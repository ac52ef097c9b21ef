import type { UpOptions } from '@pulumi/pulumi/automation/index.js'

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** Runs an operation of Pulumi with options that show its output. */
export async function showOperation(
  output: Output,
  operate: (options: Pick<UpOptions, 'color' | 'onOutput' | 'onError'>) => Promise<unknown>,
): Promise<void> {
  const write = (text: string) => void output.write(text)
  // Ctrl+C also reaches Pulumi, which then finishes what is in progress.
  process.on('SIGINT', ignore)
  try {
    await operate({ color: output.isTTY ? 'always' : 'never', onOutput: write, onError: write })
  } finally {
    process.off('SIGINT', ignore)
  }
}

function ignore(): void {}
