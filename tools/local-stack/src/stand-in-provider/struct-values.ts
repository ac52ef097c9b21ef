import struct from 'google-protobuf/google/protobuf/struct_pb.js'

export type Values = Readonly<Record<string, unknown>>

/** The engine's placeholder for values that are unknown before an `up`. */
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
/** The engine's mark for values that are not plain JSON, and the one for assets. */
const signatureKey = '4dabf18193072939515e22adb298388d'
const assetSignature = 'c44067f5952c0a294b673a41bacd8c17'

export function isUnknown(value: unknown): boolean {
  return value === unknown
}

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** File or text that the engine passes on by its path or content. */
export interface Asset {
  readonly hash: string
  readonly path?: string
  readonly text?: string
}

export function isAsset(value: unknown): value is Asset {
  return isRecord(value) && value[signatureKey] === assetSignature
}

/** Reads a message, without nulls. */
export function toValues(message: struct.Struct | undefined): Values {
  return withoutNulls(message?.toJavaScript() ?? {})
}

export function toStruct(values: Values): struct.Struct {
  // Struct has no undefined.
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, struct.JavaScriptValue>)
}

/** Removes nulls, except from lists. */
export function withoutNulls(values: Values): Values {
  return JSON.parse(JSON.stringify(values), function (this: unknown, _, value: unknown) {
    return value ?? (Array.isArray(this) ? null : undefined)
  }) as Values
}
