export type EmulatorClock = ReturnType<typeof createEmulatorClock>

/** The emulator's clock, which can be moved. Each function returns its time. */
export function createEmulatorClock(emulatorUrl: string, emulatorToken = '') {
  async function send(path: string, init?: RequestInit): Promise<Date> {
    const response = await fetch(`${emulatorUrl}/clock${path}`, {
      ...init,
      headers: { 'X-Emulator-Token': emulatorToken },
    })
    if (!response.ok) throw new Error(`The emulator clock is unavailable (status ${response.status}).`)
    return new Date(((await response.json()) as { now: string }).now)
  }

  return {
    read: () => send(''),
    advance: (milliseconds: number) => send('/advance', { method: 'POST', body: JSON.stringify({ milliseconds }) }),
    /** Sets the clock to the machine's time. */
    reset: () => send('', { method: 'PUT', body: JSON.stringify({ time: new Date().toISOString() }) }),
  }
}
