import { writeFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import fastify, { type RouteOptions } from 'fastify'
import { problemSchemas, routes } from './src/index.ts'

interface Operation {
  readonly requestBody?: {
    required: boolean
    readonly content: { readonly 'application/json': { readonly schema: { readonly required?: string[] } } }
  }
}

/** Renders the OpenAPI document of the routes: the text of `openapi.json`. */
export async function renderOpenApi(): Promise<string> {
  const app = fastify()
  await app.register(swagger, {
    refResolver: { buildLocalReference: ({ $id }) => $id as string },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'acs-kit token service',
        description: 'Communication access tokens of Azure Communication Services for signed-in users',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: {
          signIn: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'JWT from a configured issuer' },
        },
      },
    },
  })
  for (const schema of problemSchemas) app.addSchema(schema)
  for (const [operationId, route] of Object.entries(routes)) {
    const { schema, ...options } = route as unknown as RouteOptions
    app.route({ ...options, schema: { ...schema, operationId }, handler: () => {} })
  }
  await app.ready()
  const document = app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
  await app.close()
  for (const { requestBody } of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    // The plugin marks every body as required; here a body is optional when all its members are.
    if (requestBody) requestBody.required = requestBody.content['application/json'].schema.required !== undefined
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

export const openApiFile = new URL('openapi.json', import.meta.url)

if (import.meta.main) await writeFile(openApiFile, await renderOpenApi())
