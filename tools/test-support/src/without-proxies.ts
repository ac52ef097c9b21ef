// Setup of rooms whose tests call no other machine.
import { dropProxies } from './child-environment.ts'

dropProxies()
