import { parseJson } from '@acs-kit/service-settings'

/** Limits of the plan's autoscale. */
export interface InstanceRange {
  readonly min: number
  readonly max: number
}

/** Fixed number of instances, or limits between which Azure changes it. */
export type Instances = number | InstanceRange

export interface PlanOptions {
  readonly sku: string
  readonly instances: Instances
  readonly zoneRedundant: boolean
}

interface PlanTier {
  readonly skus: RegExp
  readonly maxInstances: number
  readonly hasAutoscale: boolean
  readonly hasZones: boolean
}

/**
 * App Service plans that support "always on", which excludes the free and shared ones. Their limits are those of
 * https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#azure-app-service-limits
 * and https://learn.microsoft.com/azure/reliability/reliability-app-service#requirements
 */
const tiers: readonly PlanTier[] = [
  { skus: /^B[1-3]$/, maxInstances: 3, hasAutoscale: false, hasZones: false },
  { skus: /^S[1-3]$/, maxInstances: 10, hasAutoscale: true, hasZones: false },
  { skus: /^P(?:[1-3]v2|[0-3]v3|[1-5]mv3)$/, maxInstances: 30, hasAutoscale: true, hasZones: true },
]
/** Smallest number of instances that can be in more than one zone. */
const minZoneInstances = 2

const expectedInstances = 'expected a whole number from 1, or { min, max } with such numbers and min at most max'

export function parseSku(text: string): string {
  if (findTier(text)) return text
  throw new Error(` is ${JSON.stringify(text)}: expected a plan that is always on, such as B1, S1 or P0v3`)
}

export function parseInstances(text: string): Instances {
  const value = parseJson(text)
  if (isCount(value)) return value
  const { min, max, ...others } = (typeof value === 'object' ? (value ?? {}) : {}) as Partial<InstanceRange>
  if (isCount(min) && isCount(max) && min <= max && Object.keys(others).length === 0) return { min, max }
  throw new Error(` is ${text}: ${expectedInstances}`)
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1
}

/** Type guard for instances that Azure scales. */
export function isRange(instances: Instances): instances is InstanceRange {
  return typeof instances === 'object'
}

/**
 * Yields what the plan cannot do.
 *
 * @param isValid whether these options have no issues of their own
 */
export function* findPlanIssues(
  { sku, instances, zoneRedundant }: PlanOptions,
  isValid: (...names: (keyof PlanOptions)[]) => boolean,
): Generator<string> {
  const { maxInstances, hasAutoscale, hasZones } = findTier(sku)!
  const { min, max } = isRange(instances) ? instances : { min: instances, max: instances }
  if (isValid('sku', 'instances')) {
    if (isRange(instances) && !hasAutoscale)
      yield `instances has limits, but the plan ${sku} has no autoscale: set a number, or sku to S1, P0v3 or larger`
    if (max > maxInstances)
      yield `instances is ${max}: the plan ${sku} has at most ${maxInstances}, so lower it or choose a larger sku`
  }
  if (!zoneRedundant) return
  if (isValid('sku') && !hasZones)
    yield `zoneRedundant is true, but the plan ${sku} has no zones: set sku to P0v3 or larger`
  if (isValid('instances') && min < minZoneInstances)
    yield `zoneRedundant is true, but one instance is in one zone: set instances to at least ${minZoneInstances}`
}

function findTier(sku: string): PlanTier | undefined {
  return tiers.find(({ skus }) => skus.test(sku))
}
