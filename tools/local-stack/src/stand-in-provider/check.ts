import provider from '@pulumi/pulumi/proto/provider_pb.js'
import type { Cloud } from './cloud.ts'
import { findRow, findRowOfUrn } from './find-row.ts'
import { getInputs } from './input-types.ts'
import { createBeforeDelete, generateName, toPath } from './resource-mapping.ts'
import type { ResourceRow } from './resource-table.ts'
import { isUnknown, toStruct, toValues } from './struct-values.ts'
import { validateInputs } from './validate-inputs.ts'

/** Api-version with which azure-native looks up the location of a group. */
const groupApiVersion = '2020-10-01'
const { Mode } = provider.CheckRequest.AutonamingOptions

/** Adds a missing name and location, and validates the inputs. */
export async function check(request: provider.CheckRequest, { arm, subscriptionId, location }: Cloud) {
  const row = findRowOfUrn(request.getUrn())
  const olds = toValues(request.getOlds())
  const news: Record<string, unknown> = { ...toValues(request.getNews()) }
  // A path that ends in a fixed word belongs to the resource named before.
  const [, nameParameter] = /\{(\w+)\}$/.exec(row.path) ?? []
  if (nameParameter !== undefined && news[nameParameter] === undefined) {
    const { name, isGenerated } = chooseName(request, row, olds[nameParameter], olds[createBeforeDelete] === true)
    news[nameParameter] = name
    if (isGenerated) news[createBeforeDelete] = true
  }
  const hasLocation = row.top?.includes('location') === true
  if (hasLocation) {
    news['location'] ??= olds['location'] ?? location ?? (await getGroupLocation(news['resourceGroupName']))
  }
  news['azureApiVersion'] ??= row.apiVersion
  // The SDK declares them as optional, because the provider adds them.
  const added = new Set([nameParameter, ...(hasLocation ? ['location'] : [])])
  const inputs = Object.entries(getInputs(row.type)).map(
    ([name, input]) => [name, { ...input, isRequired: input.isRequired || added.has(name) }] as const,
  )
  const failures = [...validateInputs(Object.fromEntries(inputs), news)].map((reason) =>
    new provider.CheckFailure().setReason(reason),
  )
  return new provider.CheckResponse().setInputs(toStruct(news)).setFailuresList(failures)

  async function getGroupLocation(group: unknown): Promise<unknown> {
    if (group === undefined || isUnknown(group)) return group
    const { path } = findRow('azure-native:resources:ResourceGroup')
    return (await arm.call('GET', toPath(path, news, subscriptionId), groupApiVersion)).body['location']
  }
}

/** Chooses the name of a resource that was given none. A generated one allows a replacement next to the old resource. */
function chooseName(
  request: provider.CheckRequest,
  row: ResourceRow,
  before: unknown,
  wasGenerated: boolean,
): { readonly name: unknown; readonly isGenerated: boolean } {
  if (before !== undefined) return { name: before, isGenerated: wasGenerated }
  const autonaming = request.getAutonaming()
  const mode = autonaming?.getMode()
  if (mode === Mode.DISABLE) return { name: undefined, isGenerated: false }
  if (mode === Mode.ENFORCE || (mode === Mode.PROPOSE && row.naming !== 'uuid')) {
    return { name: autonaming!.getProposedName(), isGenerated: true }
  }
  const logicalName = request.getUrn().split('::').at(-1)!
  return { name: generateName(row, logicalName, request.getRandomseed_asU8()), isGenerated: row.naming !== 'copy' }
}
