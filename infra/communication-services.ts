import { CommunicationService, listCommunicationServiceKeysOutput } from '@pulumi/azure-native/communication/index.js'
import {
  ComponentResource,
  interpolate,
  secret,
  type ComponentResourceOptions,
  type Input,
  type Output,
} from '@pulumi/pulumi'
import type { DataLocation } from './config.ts'

export interface CommunicationServicesArgs {
  readonly resourceGroupName: Input<string>
  /** Where its data is at rest. Can't be changed: another one replaces the resource, and every identity is lost. */
  readonly dataLocation: DataLocation
  /** Only Entra ID's tokens are let in, no access keys. */
  readonly keyless: boolean
  readonly protect: boolean
  readonly tags: Readonly<Record<string, string>>
}

/** The Communication Services resource, and the secrets that open it. */
export class CommunicationServices extends ComponentResource {
  readonly id: Output<string>
  readonly name: Output<string>
  readonly endpoint: Output<string>
  readonly immutableResourceId: Output<string>
  /** Like the other secrets, missing when keyless. */
  readonly connectionString: Output<string> | undefined
  readonly secondaryConnectionString: Output<string> | undefined
  readonly primaryKey: Output<string> | undefined
  readonly secondaryKey: Output<string> | undefined

  constructor(name: string, args: CommunicationServicesArgs, options?: ComponentResourceOptions) {
    super('acs-kit:communication:CommunicationServices', name, {}, options)
    const { resourceGroupName, dataLocation, keyless, protect, tags } = args
    const service = new CommunicationService(
      name,
      // Without it, azure-native would put in the group's location, which no such resource can have.
      { resourceGroupName, location: 'global', dataLocation, disableLocalAuth: keyless, tags },
      { parent: this, protect },
    )
    // Azure may reject the call once access keys are off. Its result is not marked secret by itself.
    const keys = keyless
      ? undefined
      : secret(
          listCommunicationServiceKeysOutput(
            { resourceGroupName, communicationServiceName: service.name },
            { parent: this },
          ),
        )
    this.id = service.id
    this.name = service.name
    this.endpoint = interpolate`https://${service.hostName}/`
    this.immutableResourceId = service.immutableResourceId
    this.connectionString = keys?.apply(({ primaryConnectionString }) => primaryConnectionString!)
    this.secondaryConnectionString = keys?.apply(({ secondaryConnectionString }) => secondaryConnectionString!)
    this.primaryKey = keys?.apply(({ primaryKey }) => primaryKey!)
    this.secondaryKey = keys?.apply(({ secondaryKey }) => secondaryKey!)
    this.registerOutputs({ id: this.id, endpoint: this.endpoint })
  }
}
