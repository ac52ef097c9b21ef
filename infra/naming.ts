import { hash } from 'node:crypto'

/** App Service sites have the shortest limit of the types named after `base`, 60; azure-native appends 8 characters. */
const maxLength = 60 - 8
/** Storage accounts have at most 24 lower-case letters and digits, 8 of which azure-native appends. */
const maxStorageLength = 24 - 8

/**
 * Logical names of a stack's resources, from which azure-native makes their names in Azure. Names that are too long end in a
 * hash, so that stacks with a common beginning differ. All others stay as they are: a new name would replace the resource.
 */
export function namesOf(project: string, stack: string) {
  const name = `${project}-${stack}`
  const full = name
    .toLowerCase()
    .replaceAll(/[^a-z\d-]+/g, '-')
    .replace(/^-+/, '')
  const digest = full.length > maxLength ? hash('sha256', name).slice(0, 6) : ''
  const base = digest ? `${full.slice(0, maxLength - digest.length - 1).replace(/-+$/, '')}-${digest}` : full
  return {
    base,
    storage: (purpose: string) => {
      const beginning = full.replaceAll('-', '').slice(0, maxStorageLength - purpose.length - digest.length)
      return `${beginning}${digest}${purpose}`
    },
  }
}
