import { AutoscaleSetting } from '@pulumi/azure-native/monitor/autoscaleSetting.js'
import type { AppServicePlan } from '@pulumi/azure-native/web/appServicePlan.js'
import type { CustomResourceOptions, Input } from '@pulumi/pulumi'
import type { InstanceRange } from './config/plan.ts'

export interface PlanAutoscaleArgs {
  readonly resourceGroupName: Input<string>
  readonly plan: AppServicePlan
  readonly range: InstanceRange
  readonly tags: Readonly<Record<string, string>>
}

/** Creates rules that add an instance when the processors of a plan are busy, and remove one when they are idle. */
export function createPlanAutoscale(
  name: string,
  { resourceGroupName, plan, range: { min, max }, tags }: PlanAutoscaleArgs,
  options: CustomResourceOptions,
): AutoscaleSetting {
  const minimum = String(min)
  const average = { metricName: 'CpuPercentage', metricResourceUri: plan.id, timeGrain: 'PT1M' }
  return new AutoscaleSetting(
    name,
    {
      resourceGroupName,
      // Must be that of the plan, which stays in its region.
      location: plan.location,
      enabled: true,
      targetResourceUri: plan.id,
      profiles: [
        {
          name: 'cpu',
          // Azure uses the default while it has no metrics.
          capacity: { minimum, maximum: String(max), default: minimum },
          rules: [
            {
              metricTrigger: {
                ...average,
                statistic: 'Average',
                timeAggregation: 'Average',
                timeWindow: 'PT5M',
                operator: 'GreaterThan',
                threshold: 70,
              },
              scaleAction: { direction: 'Increase', type: 'ChangeCount', value: '1', cooldown: 'PT5M' },
            },
            {
              metricTrigger: {
                ...average,
                statistic: 'Average',
                timeAggregation: 'Average',
                // Longer, and far below, so that the remaining instances do not need another one at once.
                timeWindow: 'PT10M',
                operator: 'LessThan',
                threshold: 30,
              },
              scaleAction: { direction: 'Decrease', type: 'ChangeCount', value: '1', cooldown: 'PT10M' },
            },
          ],
        },
      ],
      tags,
    },
    options,
  )
}
