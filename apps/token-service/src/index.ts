export { tokenService } from './app.ts'
export { buildServer, serverOptions } from './build-server.ts'
export type { TokenServiceOptions } from './service-options.ts'
