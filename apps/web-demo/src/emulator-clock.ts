interface ClockState {
  readonly now: string
  /** Distance from the machine's time. */
  readonly offsetMilliseconds: number
}

export type EmulatorClock = ReturnType<typeof createEmulatorClock>

/** The emulator's clock, which can be moved. Each function returns its time. */
export function createEmulatorClock(emulatorUrl: string, emulatorToken = '') {
  async function send(path: string, init?: RequestInit): Promise<ClockState> {
    const response = await fetch(`${emulatorUrl}/clock${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${emulatorToken}` },
    })
    if (!response.ok) throw new Error(`The emulator clock is unavailable (status ${response.status}).`)
    return (await response.json()) as ClockState
  }

  async function advance(milliseconds: number): Promise<Date> {
    const { now } = await send('/advance', { method: 'POST', body: JSON.stringify({ milliseconds }) })
    return new Date(now)
  }

  return {
    read: async () => new Date((await send('')).now),
    advance,
    /** Sets the clock to the machine's time. */
    reset: async () => advance(-(await send('')).offsetMilliseconds),
  }
}
