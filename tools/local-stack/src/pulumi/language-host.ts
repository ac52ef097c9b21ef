// Stand-in for `pulumi-language-nodejs`, next to a CLI that was built from its Go module; the official download contains the
// genuine one. It starts the genuine program runner of `@pulumi/pulumi`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import '@acs-kit/test-support/exit-with-parent'
import languageRpc from '@pulumi/pulumi/proto/language_grpc_pb.js'
import language from '@pulumi/pulumi/proto/language_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import { method, serve } from '../stand-in-provider/grpc-server.ts'

/** The runner's exit code for failures that it has already reported. */
const bailCode = 32

// Without it, a runner may survive the death of the engine by minutes.
const preload = ['--import', import.meta.resolve('@acs-kit/test-support/exit-with-parent')]
const engine = process.argv.slice(2).find((argument) => !argument.startsWith('-'))
const { port } = await serve(languageRpc.LanguageRuntimeService, {
  handshake: method(async () => new language.LanguageHandshakeResponse()),
  getPluginInfo: method(async () => new plugin.PluginInfo().setVersion('3.270.0')),
  getRequiredPackages: method(async () => new language.GetRequiredPackagesResponse()),
  getRequiredPlugins: method(async () => new language.GetRequiredPluginsResponse()),
  runtimeOptionsPrompts: method(async () => new language.RuntimeOptionsResponse()),
  about: method(async () => new language.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  run: method(run),
})
process.stdout.write(`${port}\n`)

async function run(request: language.RunRequest): Promise<language.RunResponse> {
  const info = request.getInfo()!
  const directory = info.getProgramDirectory()
  const runner = createRequire(join(directory, 'package.json')).resolve('@pulumi/pulumi/cmd/run/index.js')
  const flags = {
    monitor: request.getMonitorAddress(),
    engine,
    project: request.getProject(),
    stack: request.getStack(),
    organization: request.getOrganization(),
    'root-directory': info.getRootDirectory(),
    pwd: directory,
    parallel: String(request.getParallel()),
  }
  const args = Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}`, value] : []))
  const child = spawn(
    process.execPath,
    // The runner resolves the entry point `.` with package.json.
    [...preload, runner, ...args, ...(request.getDryrun() ? ['--dry-run'] : []), info.getEntryPoint()],
    {
      // Only for the program's own output: everything else reaches the engine through gRPC.
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        PULUMI_NODEJS_TYPESCRIPT: 'false',
      },
    },
  )
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return new language.RunResponse()
  if (code === bailCode) return new language.RunResponse().setBail(true)
  return new language.RunResponse().setError(`the program exited with ${code ?? 'a signal'}`)
}
