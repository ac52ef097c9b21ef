/** The emulator's clock, which can be moved. */
export class EmulatorClock {
  readonly #url: string

  constructor(emulatorUrl: string) {
    this.#url = `${emulatorUrl}/clock`
  }

  async read(): Promise<Date> {
    return this.#send('')
  }

  async advance(milliseconds: number): Promise<Date> {
    return this.#send('/advance', { method: 'POST', body: JSON.stringify({ milliseconds }) })
  }

  /** Sets the clock to the machine's time. */
  async reset(): Promise<Date> {
    return this.#send('', { method: 'PUT', body: JSON.stringify({ time: new Date().toISOString() }) })
  }

  async #send(path: string, init?: RequestInit): Promise<Date> {
    const response = await fetch(this.#url + path, init)
    if (!response.ok) throw new Error(`The emulator clock is unavailable (status ${response.status}).`)
    return new Date(((await response.json()) as { now: string }).now)
  }
}
