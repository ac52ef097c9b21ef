/** The clock of the emulated Azure, which can be moved. */
export class EmulatedClock {
  readonly #url: string

  constructor(emulatorUrl: string) {
    this.#url = `${emulatorUrl}/clock`
  }

  async read(): Promise<Date> {
    return this.#ask('')
  }

  async advance(milliseconds: number): Promise<Date> {
    return this.#ask('/advance', { method: 'POST', body: JSON.stringify({ milliseconds }) })
  }

  /** To the machine's time. */
  async reset(): Promise<Date> {
    return this.#ask('', { method: 'PUT', body: JSON.stringify({ time: new Date().toISOString() }) })
  }

  async #ask(path: string, init?: RequestInit): Promise<Date> {
    const response = await fetch(this.#url + path, init)
    if (!response.ok) throw new Error('The emulator’s clock did not answer.')
    return new Date(((await response.json()) as { now: string }).now)
  }
}
