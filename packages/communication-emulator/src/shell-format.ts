import { foreignVariables, type Environment } from './environment.ts'

const formats = {
  sh: {
    set: (name: string, value: string) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    unset: (names: readonly string[]) => `unset ${names.join(' ')}`,
  },
  powershell: {
    set: (name: string, value: string) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (names: readonly string[]) =>
      `Remove-Item -ErrorAction Ignore ${names.map((name) => `Env:${name}`).join(', ')}`,
  },
}

export type ShellFormat = keyof typeof formats
export const shellFormats = Object.keys(formats) as ShellFormat[]

/** Formats an environment as commands of a shell. */
export function formatEnvironment({ variables }: Environment, format: ShellFormat): string {
  const syntax = formats[format]
  const lines = Object.entries(variables).map(([name, value]) => syntax.set(name, value))
  return [syntax.unset(foreignVariables), ...lines, ''].join('\n')
}
