import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { cache } from './pulumi-cli.ts'

export interface PluginOptions {
  readonly cli: PulumiCommand
  /** Complete environment of the CLI, with the settings for its download. */
  readonly env: NodeJS.ProcessEnv
  /** Cancels the installation. */
  readonly signal?: AbortSignal
}

export interface AzureNativePlugin {
  readonly version: string
  /** Folder of installed plugins, in the form of `$PULUMI_HOME/plugins`. */
  readonly folder: string
}

/**
 * Installs the provider azure-native in the version of the installed SDK into the cache, unless it is already there.
 *
 * @param options CLI and its environment
 * @returns the plugin
 * @throws {Error} if the CLI cannot download it
 * @example
 * const { folder } = await installAzureNative({ cli, env: process.env })
 */
export async function installAzureNative({ cli, env, signal }: PluginOptions): Promise<AzureNativePlugin> {
  const { version } = createRequire(import.meta.url)('@pulumi/azure-native/package.json') as { version: string }
  const home = join(cache, 'home')
  mkdirSync(home, { recursive: true })
  const args = ['plugin', 'install', 'resource', 'azure-native', version, '--exact', '--color', 'never']
  try {
    await promisify(execFile)(cli.command, args, {
      env: { ...env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: 'true' },
      ...(signal && { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    const { stderr = '', message } = error as Error & { stderr?: string }
    const reason = /^error: (.+)$/m.exec(stderr)?.[1] ?? message
    throw new Error(
      `provider azure-native ${version} not installed: ${reason}: allow access to get.pulumi.com, or omit --provider genuine`,
      { cause: error },
    )
  }
  return { version, folder: join(home, 'plugins') }
}
