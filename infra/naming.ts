/** Of a project and stack: resources' logical names, from which azure-native makes their names in Azure. */
export function namesOf(project: string, stack: string) {
  const base = `${project}-${stack}`.toLowerCase().replaceAll(/[^a-z\d-]+/g, '-')
  return {
    base,
    // Storage accounts take 24 letters and digits, 8 of which azure-native makes up.
    storage: (purpose: string) => `${base.replaceAll('-', '').slice(0, 16 - purpose.length)}${purpose}`,
  }
}
