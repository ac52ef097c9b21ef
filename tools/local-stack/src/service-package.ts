import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'

/** The token service's package for App Service, built in the background. Disposing it removes it. */
export class ServicePackage implements AsyncDisposable {
  // Not the folder of the checkout, where another run may build as well.
  readonly #folder = new TemporaryFolder()
  /** Path of the zip file. */
  readonly path = this.#folder.join('token-service.zip')
  /** Resolves when the file is complete. */
  readonly built = buildArtifact(this.#folder.join('token-service'))

  constructor() {
    // A failure is reported by the step that waits for the file.
    this.built.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.built.catch(() => {})
    this.#folder[Symbol.dispose]()
  }
}
