import { problemSchemas } from '@acs-kit/token-contract'
import type { FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Convert } from 'typebox/value'

/** Compiles a schema when its first request arrives. Parameters of URLs are texts, so their types are converted. */
const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let validator: Validator | undefined
  return (received) => {
    validator ??= Compile(schema)
    const value = httpPart === 'body' ? received : Convert(schema, received)
    return validator.Check(value) ? { value } : { error: validator.Errors(value) }
  }
}

/** Handlers return what the contract's types describe. Compiling a serializer for each response would double the time to start. */
const serializerCompiler = () => JSON.stringify

/** Option of `fastify` with these compilers, for which it does not load Ajv. Its type describes only compilers that use Ajv. */
export const schemaController = {
  compilersFactory: { buildValidator: () => validatorCompiler, buildSerializer: () => serializerCompiler },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>

/** Validates requests with TypeBox, which the contract's schemas are written in. Unlike Ajv, it converts no types in bodies. */
export const typebox = fastifyPlugin(
  async (app) => {
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    // The routes refer to these by `$id`.
    for (const schema of problemSchemas) app.addSchema(schema)
  },
  { name: 'typebox' },
)
