import { ArmError, invalid } from './arm-error.ts'
import type { ResourceType } from './resource-types.ts'

/** Resource types of the emulator, found by name in any case. */
export class TypeRegistry {
  readonly all: readonly ResourceType[]
  readonly #byName: ReadonlyMap<string, ResourceType>

  constructor(types: readonly ResourceType[]) {
    this.all = types
    this.#byName = new Map(types.map((type) => [type.type.toLowerCase(), type]))
  }

  find(name: string): ResourceType | undefined {
    return this.#byName.get(name.toLowerCase())
  }

  /** Throws an `ArmError` for an unknown type or api-version. */
  get(name: string, apiVersion: string): ResourceType {
    const type = this.find(name)
    if (!type) throw this.unknown(name, apiVersion)
    const { apiVersions } = type
    if (!apiVersions || apiVersions.includes(apiVersion)) return type
    throw invalid(
      'NoRegisteredProviderFound',
      `No registered resource provider found for API version '${apiVersion}' for type '${type.type}'. The supported api-versions are '${apiVersions.join(', ')}'.`,
    )
  }

  unknown(name: string, apiVersion: string): ArmError {
    const names = this.all.map(({ type }) => type).join(', ')
    return new ArmError(
      404,
      'InvalidResourceType',
      `The resource type ${name} could not be found for api version ${apiVersion}. The emulator supports: ${names}.`,
    )
  }
}
