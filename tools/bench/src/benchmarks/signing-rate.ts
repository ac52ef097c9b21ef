// Prints how often per second one thread signs a number of bytes with RSA-2048 and SHA-256.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { Bench } from 'tinybench'

const [bytes = '0', durationMs = '0'] = process.argv.slice(2)
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const data = randomBytes(Number(bytes))
const bench = new Bench({ time: Number(durationMs), warmupTime: 250 })
bench.add('sign', () => void sign('sha256', data, privateKey))
const [task] = bench.runSync()
const { result } = task!
if (result.state !== 'completed') throw new Error(`signing ended in the state ${result.state}`)
process.stdout.write(String(result.throughput.mean))
