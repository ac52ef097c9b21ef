// Preloaded into Azurite, which loads Application Insights even if its telemetry is disabled, and then takes twice as long to start.
// With `--disableTelemetry`, it calls nothing of the module, so any other one can take its place.
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, resolveNext) =>
    specifier === 'applicationinsights' ? { url: 'node:util', shortCircuit: true } : resolveNext(specifier, context),
})
