// Preloaded into processes whose memory is measured: collects garbage all the time.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
// Code that V8 drops between two measurements would change the result.
setFlagsFromString('--no-flush-bytecode')
setInterval(runInNewContext('gc') as () => void, 500).unref()
