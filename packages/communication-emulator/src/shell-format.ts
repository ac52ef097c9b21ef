import { foreignVariables, type Environment } from './environment.ts'

interface ShellSyntax {
  readonly set: (name: string, value: string) => string
  readonly unset: (names: readonly string[]) => string
}

const formats = {
  sh: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    unset: (names) => `unset ${names.join(' ')}`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (names) => `Remove-Item -ErrorAction Ignore ${names.map((name) => `Env:${name}`).join(', ')}`,
  },
} as const satisfies Record<string, ShellSyntax>

export type ShellFormat = keyof typeof formats
export const shellFormats = Object.keys(formats) as ShellFormat[]

/** Formats an environment as commands of a shell. */
export function formatEnvironment({ variables }: Environment, format: ShellFormat): string {
  const syntax = formats[format]
  const lines = Object.entries(variables).map(([name, value]) => syntax.set(name, value))
  return [syntax.unset(foreignVariables), ...lines, ''].join('\n')
}
