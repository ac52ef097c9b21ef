/** Means to choose another folder: an option of `startEmulator`, or the environment variable HOME. */
export type FolderChoice = 'keyFolder' | 'dataFolder' | 'HOME'

/**
 * Thrown if the key folder or the data folder cannot be used. The message names the folder, the cause and the remedy.
 *
 * @example
 * if (error instanceof UnusableFolderError) console.error(error.format({ keyFolder: '--keys' }))
 */
export class UnusableFolderError extends Error {
  override readonly name = 'UnusableFolderError'
  readonly #reason: string
  readonly #choices: readonly FolderChoice[]

  /** @internal */
  constructor(reason: string, choices: readonly FolderChoice[], options?: ErrorOptions) {
    super(`${reason} with ${choices.join(' or ')}`, options)
    this.#reason = reason
    this.#choices = choices
  }

  /**
   * Formats the message for the users of a program.
   *
   * @param flags The program's flags for the options of `startEmulator`; options without a flag are not mentioned.
   * @returns The message, in one line.
   */
  format(flags: { readonly keyFolder?: string; readonly dataFolder?: string }): string {
    const names = Object.entries({ ...flags, HOME: 'HOME' })
    const choices = names.flatMap(([choice, name]) => (this.#choices.includes(choice as FolderChoice) ? [name] : []))
    return choices.length === 0 ? this.#reason : `${this.#reason} with ${choices.join(' or ')}`
  }
}
