import type { Operation } from '@acs-kit/communication-identity'

/** Requests that ACS allows a resource in 30 seconds: Azure's page "Service limits", section Identity. */
const limits: Readonly<Record<Operation, number>> = {
  create: 1000,
  createWithToken: 1000,
  issueToken: 1000,
  revokeTokens: 500,
  delete: 500,
  exchangeTeamsToken: 500,
  // Undocumented, so the lowest of the documented limits. A 429 pauses the operation anyway.
  getTeamsAssignment: 500,
  putTeamsAssignment: 500,
  deleteTeamsAssignment: 500,
}
const limitWindowMs = 30_000
/** Leaves a margin for inexact clocks and network delays. */
const usableShare = 0.95

/** This instance's share of the resource's limits. */
export function createRequestBudgets(instances: number): Readonly<Record<Operation, RequestBudget>> {
  const budgets = Object.entries(limits).map(([operation, limit]) => {
    return [operation, createRequestBudget(Math.max(1, Math.floor((limit * usableShare) / instances)))]
  })
  return Object.fromEntries(budgets) as Record<Operation, RequestBudget>
}

type RequestBudget = ReturnType<typeof createRequestBudget>

/** Allows at most `limit` requests within any period of `limitWindowMs`, so also within each window of the service. */
function createRequestBudget(limit: number) {
  /** Times of the last `limit` requests, oldest at `next`. */
  const starts = new Float64Array(limit).fill(-Infinity)
  let next = 0
  let pausedUntil = 0
  return {
    /** Records a request and returns 0, or returns the milliseconds until one is allowed. */
    take(now: number): number {
      const waitMs = Math.max(starts[next]! + limitWindowMs, pausedUntil) - now
      if (waitMs > 0) return waitMs
      starts[next] = now
      next = (next + 1) % limit
      return 0
    },
    /** Allows no requests before this time, as the service demanded. */
    pauseUntil(time: number): void {
      pausedUntil = Math.max(pausedUntil, time)
    },
  }
}
