import type { Operation } from '@acs-kit/communication-identity'
import { RequestBudget } from './request-budget.ts'

/** Requests that ACS allows a resource in 30 seconds: Azure's page "Service limits", section Identity. */
const documentedLimits: Readonly<Record<Operation, number>> = {
  create: 1000,
  createWithToken: 1000,
  issueToken: 1000,
  revokeTokens: 500,
  delete: 500,
  exchangeTeamsToken: 500,
}
const limitWindowMs = 30_000
/** Leaves a margin for inexact clocks and network delays. */
const usableShare = 0.95

/** This instance's share of the resource's limits. */
export function createRequestBudgets(instances: number): Readonly<Record<Operation, RequestBudget>> {
  const budgets = Object.entries(documentedLimits).map(([operation, limit]) => {
    const share = Math.max(1, Math.floor((limit * usableShare) / instances))
    return [operation, new RequestBudget(share, limitWindowMs)]
  })
  return Object.fromEntries(budgets) as Record<Operation, RequestBudget>
}
