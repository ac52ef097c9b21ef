import { problemSchemas } from '@acs-kit/token-contract'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { fastifyPlugin } from 'fastify-plugin'

/** Validates requests with TypeBox, which the contract's schemas are written in. Unlike Ajv, it converts no types in bodies. */
export const typebox = fastifyPlugin(
  async (app) => {
    app.setValidatorCompiler(TypeBoxValidatorCompiler)
    // The routes refer to these by `$id`.
    for (const schema of problemSchemas) app.addSchema(schema)
  },
  { name: 'typebox' },
)
