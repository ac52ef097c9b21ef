import { get } from './api.mjs'
import { createForm, field, perform } from './action.mjs'
import { element } from './dom.mjs'
import { formatDuration, formatTime } from './format.mjs'

/** @typedef {import('./api.mjs').Clock} Clock */
/** @typedef {import('./main.mjs').View} View */

const units = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 }

/** @param {number} milliseconds @returns {import('./api.mjs').Call} */
function toAdvance(milliseconds) {
  return { method: 'POST', path: 'clock/advance', body: { milliseconds } }
}

/** @param {Clock} clock */
function report({ now }) {
  return `The clock is at ${formatTime(now)}.`
}

/** Describes how far the clock is from the machine's. @param {Clock} clock */
export function formatOffset({ offsetMilliseconds: offset }) {
  return offset === 0 ? '' : `${formatDuration(offset)} ${offset > 0 ? 'ahead' : 'behind'}`
}

/** @returns {View} */
export function createClockView() {
  const time = element('strong', { class: 'clock' })
  const offset = element('span', { class: 'badge soon' })
  let offsetMilliseconds = 0
  const reset = element(
    'button',
    {
      type: 'button',
      onclick: () => void perform(toAdvance(-offsetMilliseconds), () => "The clock is at the machine's time."),
    },
    "Back to the machine's time",
  )

  const advanceForm = createForm({
    label: 'Advance',
    fields: [
      field('By', element('input', { name: 'count', type: 'number', value: 1, step: 'any', required: true })),
      field(
        'Unit',
        element(
          'select',
          { name: 'unit' },
          ...Object.keys(units).map((unit) => element('option', { selected: unit === 'hours' }, unit)),
        ),
      ),
    ],
    toCall: (values) => {
      const size = units[/** @type {keyof typeof units} */ (values['unit'])]
      return toAdvance(Math.round(Number(values['count']) * size))
    },
    success: report,
    buttons: [reset],
  })
  const setForm = createForm({
    label: 'Set',
    fields: [
      field(
        'Time in UTC',
        element('input', {
          name: 'time',
          type: 'datetime-local',
          step: 1,
          required: true,
          value: new Date().toISOString().slice(0, 19),
        }),
      ),
    ],
    toCall: (values) => ({ method: 'PUT', path: 'clock', body: { time: `${values['time']}Z` } }),
    success: report,
  })
  return {
    title: 'Clock',
    content: [
      element('p', {}, time, ' UTC ', offset),
      element(
        'p',
        { class: 'hint' },
        "Tokens, revocations and quotas follow this clock. Signatures and TLS follow the machine's.",
      ),
      element('section', { class: 'card' }, element('h2', {}, 'Advance'), advanceForm),
      element('section', { class: 'card' }, element('h2', {}, 'Set'), setForm),
    ],
    async load() {
      const clock = await get('clock')
      offsetMilliseconds = clock.offsetMilliseconds
      time.textContent = formatTime(clock.now)
      offset.textContent = formatOffset(clock)
      offset.hidden = offsetMilliseconds === 0
      reset.disabled = offsetMilliseconds === 0
    },
  }
}
