import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'

export type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe']
const folders = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/Applications/Google Chrome.app/Contents/MacOS',
  'C:/Program Files/Google/Chrome/Application',
]

/** Path in the environment, or else the first Chrome or Chromium found. */
const executablePath =
  process.env['COMMUNICATION_TEST_CHROMIUM'] ??
  folders
    .flatMap((folder) => [...names, 'Google Chrome'].map((name) => join(folder, name)))
    .find((path) => existsSync(path))

if (executablePath === undefined) process.stdout.write('NOT RUN: browser tests, no Chromium found\n')

/** Whether browser tests can run. A message reports if they cannot. */
export const hasBrowser = executablePath !== undefined

export function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, ...options })
}
