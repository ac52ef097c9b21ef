/**
 * Where Azure keeps a communication resource's data at rest, as Terraform's documentation lists them. The emulator has a list
 * of its own: it imitates Azure, and must not agree with a mistake made here.
 */
const dataLocations = [
  'Africa',
  'Asia Pacific',
  'Australia',
  'Brazil',
  'Canada',
  'Europe',
  'France',
  'Germany',
  'India',
  'Japan',
  'Korea',
  'Norway',
  'Switzerland',
  'UAE',
  'UK',
  'usgov',
  'United States',
] as const

export type DataLocation = (typeof dataLocations)[number]

/** What a stack's configuration may say, as it was read. */
export interface RawConfig {
  readonly dataLocation?: string | undefined
  readonly keyless?: boolean | undefined
  readonly sku?: string | undefined
  readonly allowedOrigins?: readonly string[] | undefined
  readonly issuers?: readonly unknown[] | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly protect?: boolean | undefined
  readonly deployPackage?: boolean | undefined
}

export interface StackConfig {
  readonly dataLocation: DataLocation
  readonly keyless: boolean
  readonly sku: string
  readonly allowedOrigins: readonly string[]
  /** For `SIGN_IN_ISSUERS`; the service itself checks them more closely. */
  readonly issuers: readonly unknown[]
  readonly tags: Readonly<Record<string, string>>
  readonly protect: boolean
  readonly deployPackage: boolean
}

/** Plans of App Service that are always on: the free and shared ones are not. */
const skus = /^(?:B[1-3]|S[1-3]|P[1-3]v2|P[0-3]v3|P[1-5]mv3)$/

/**
 * The configuration of a stack, with its defaults; `names` are those that the stack has a value for. Throws with every mistake
 * at once.
 */
export function parseConfig(stack: string, raw: RawConfig, names: readonly string[] = []): StackConfig {
  const {
    dataLocation = 'United States',
    keyless = false,
    sku = 'B1',
    allowedOrigins = [],
    issuers = [],
    tags = {},
    protect = stack === 'prod',
    deployPackage = stack !== 'local',
  } = raw
  const mistakes = names.filter((name) => !Object.hasOwn(raw, name)).map((name) => `${name} is nothing that can be set`)
  if (!isDataLocation(dataLocation)) {
    mistakes.push(`dataLocation is ${JSON.stringify(dataLocation)}; it must be one of: ${dataLocations.join(', ')}`)
  }
  if (!skus.test(sku))
    mistakes.push(`sku is ${JSON.stringify(sku)}; it must be a plan that is always on, such as B1, S1 or P0v3`)
  for (const origin of allowedOrigins) {
    if (!isOrigin(origin))
      mistakes.push(`allowedOrigins has ${JSON.stringify(origin)}; an origin reads https://app.example.com`)
  }
  if (issuers.length === 0) {
    mistakes.push(
      'issuers is empty; it must say who vouches for users: pulumi config set --path issuers[0].issuer https://…',
    )
  }
  const placeholder = /<[^<>]*>/.exec(JSON.stringify(issuers))
  if (placeholder) mistakes.push(`issuers still has ${placeholder[0]}; it takes your own, and README.md says which`)
  if (mistakes.length > 0 || !isDataLocation(dataLocation)) {
    throw new Error(
      `the configuration of the stack ${stack} can't be used:\n${mistakes.map((text) => `- ${text}`).join('\n')}`,
    )
  }
  return { dataLocation, keyless, sku, allowedOrigins, issuers, tags, protect, deployPackage }
}

function isDataLocation(text: string): text is DataLocation {
  return (dataLocations as readonly string[]).includes(text)
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}
