import { CommunicationService } from '@pulumi/azure-native/communication/communicationService.js'
import { listCommunicationServiceKeysOutput } from '@pulumi/azure-native/communication/listCommunicationServiceKeys.js'
import {
  ComponentResource,
  ErrorHook,
  interpolate,
  log,
  secret,
  type ComponentResourceOptions,
  type ErrorHookArgs,
  type Input,
  type Output,
} from '@pulumi/pulumi'
import type { DataLocation, PublicNetworkAccess } from './config.ts'

export interface CommunicationServicesArgs {
  readonly resourceGroupName: Input<string>
  /** Location of its data at rest. Changing it replaces the resource, and all identities are lost. */
  readonly dataLocation: DataLocation
  /** Disables access keys, so that only Entra ID's tokens are accepted. */
  readonly keyless: boolean
  /** `Disabled` also rejects the token service, unless it has private access. */
  readonly publicNetworkAccess: PublicNetworkAccess
  readonly protect: boolean
  readonly tags: Readonly<Record<string, string>>
}

/** The Communication Services resource and its secrets. */
export class CommunicationServices extends ComponentResource {
  readonly service: CommunicationService
  readonly endpoint: Output<string>
  readonly immutableResourceId: Output<string>
  /** Undefined if keyless, like the other secrets. */
  readonly connectionString: Output<string> | undefined
  readonly secondaryConnectionString: Output<string> | undefined
  readonly primaryKey: Output<string> | undefined
  readonly secondaryKey: Output<string> | undefined

  constructor(name: string, args: CommunicationServicesArgs, options?: ComponentResourceOptions) {
    super('acs-kit:communication:CommunicationServices', name, {}, options)
    const { resourceGroupName, dataLocation, keyless, publicNetworkAccess, protect, tags } = args
    // Cannot cover deletions, because `pulumi destroy` does not run the program.
    const onError = [new ErrorHook(`${name}-creation`, explainCreationFailure)]
    this.service = new CommunicationService(
      name,
      // azure-native defaults to the group's location, which this type of resource rejects.
      { resourceGroupName, location: 'global', dataLocation, disableLocalAuth: keyless, publicNetworkAccess, tags },
      { parent: this, protect, hooks: { onError } },
    )
    // Azure may reject the call while access keys are disabled. Its result is not marked as secret by itself.
    const keys = keyless
      ? undefined
      : secret(
          listCommunicationServiceKeysOutput(
            { resourceGroupName, communicationServiceName: this.service.name },
            { parent: this },
          ),
        )
    this.endpoint = interpolate`https://${this.service.hostName}/`
    this.immutableResourceId = this.service.immutableResourceId
    this.connectionString = keys?.apply(({ primaryConnectionString }) => primaryConnectionString!)
    this.secondaryConnectionString = keys?.apply(({ secondaryConnectionString }) => secondaryConnectionString!)
    this.primaryKey = keys?.apply(({ primaryKey }) => primaryKey!)
    this.secondaryKey = keys?.apply(({ secondaryKey }) => secondaryKey!)
    this.registerOutputs({
      service: this.service,
      id: this.service.id,
      endpoint: this.endpoint,
      immutableResourceId: this.immutableResourceId,
      connectionString: this.connectionString,
      secondaryConnectionString: this.secondaryConnectionString,
      primaryKey: this.primaryKey,
      secondaryKey: this.secondaryKey,
    })
  }
}

/** Names the section on who can create a resource, because Azure's error does not explain it. The engine prints that error next. */
async function explainCreationFailure({ failedOperation }: ErrorHookArgs): Promise<boolean> {
  if (failedOperation === 'create') {
    await log.error(
      "Communication Services resource not created, Azure's error follows: if your subscription is new to ACS, see README.md#new-customers in the root of the repository",
    )
  }
  return false
}
