// Setup file of packages whose tests only call this machine.
import { dropProxies } from './child-environment.ts'

dropProxies()
