import { hash } from 'node:crypto'

/** Limit of App Service sites, the shortest of the types named after `base`, without the 8 characters that azure-native appends. */
const maxLength = 60 - 8
/** Limit of storage accounts, which allow only lower-case letters and digits, without the 8 that azure-native appends. */
const maxStorageLength = 24 - 8

/**
 * Returns the logical names of a stack's resources, from which azure-native generates their names in Azure. Names that are
 * too long end in a hash, so that stacks with a common prefix differ. All others must stay as they are: a new name would
 * replace the resource.
 */
export function resourceNames(project: string, stack: string) {
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
      const prefix = full.replaceAll('-', '').slice(0, maxStorageLength - purpose.length - digest.length)
      return `${prefix}${digest}${purpose}`
    },
  }
}
