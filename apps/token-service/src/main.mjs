// JavaScript, because older versions of Node can load neither TypeScript nor the built service.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 24 || (major === 24 && minor >= 12)) {
  // Applies only to modules that load later.
  const { enablePrivateCompileCache } = await import('./compile-cache.ts')
  enablePrivateCompileCache()
  await import('./server.ts')
} else {
  process.stderr.write(`Node 24.12 or newer is required, and this is Node ${process.versions.node}\n`)
  process.exitCode = 1
}
