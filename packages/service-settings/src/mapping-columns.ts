type Columns = Readonly<Record<string, (value: unknown) => boolean>>

/** Columns of a user's row, with what makes their values valid. */
export const userColumns: Columns = {
  issuer: isText,
  subject: isText,
  communicationUserId: isText,
  resourceId: isText,
  createdOn: isDate,
  tokensValidFrom: isOptional(isDate),
  epoch: isText,
  intentId: isText,
}

/** Columns of a journal entry's row, with what makes their values valid. */
export const journalColumns: Columns = {
  kind: (value) => value === 'create' || value === 'delete' || value === 'revoke' || value === 'lost',
  userKey: isText,
  // Missing until the creation reports it.
  communicationUserId: isOptional(isText),
  writtenOn: isDate,
}

/**
 * Finds an invalid column of a row in the mapping table.
 *
 * @param row Row with dates as `Date`. May have further columns.
 * @param columns `userColumns` or `journalColumns`.
 * @returns The name of the first invalid column, or undefined if all are valid.
 * @example
 * findInvalidColumn({ kind: 'delete', userKey, writtenOn: 'today' }, journalColumns) // 'writtenOn'
 */
export function findInvalidColumn(row: object, columns: Columns): string | undefined {
  return Object.keys(columns).find((name) => !columns[name]!((row as Readonly<Record<string, unknown>>)[name]))
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isOptional(isValid: (value: unknown) => boolean) {
  return (value: unknown) => value === undefined || isValid(value)
}
