import { networkInterfaces } from 'node:os'

/** Address of this machine that the system also uses as the client's; undefined without a network. */
export const ownAddress = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

if (ownAddress === undefined) process.stdout.write('NOT RUN: requests from another address, no network\n')
