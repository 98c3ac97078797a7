import type { OpenApiDocument } from './document.ts'

/** The subset of JSON Schema that our document uses. */
export interface Schema {
  readonly $ref?: string
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly example?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** A member of a body at any depth: `session.id`, `data[].id`. */
export interface Member {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly schema: Schema
}

/** Resolves a reference and merges `allOf`. */
export function resolve(schema: Schema, document: OpenApiDocument): Schema {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return resolve((document.components?.schemas?.[name] ?? {}) as Schema, document)
  }
  if (schema.allOf === undefined) return schema
  const { allOf, ...rest } = schema
  const parts = [...allOf.map((part) => resolve(part, document)), rest]
  const properties = Object.assign({}, ...parts.map((part) => part.properties))
  const required = [...new Set(parts.flatMap((part) => part.required ?? []))]
  return Object.assign({}, ...parts, { properties, required })
}

/** All members of an object and of its nested objects, in order. */
export function listMembers(given: Schema, document: OpenApiDocument, prefix = ''): Member[] {
  const schema = resolve(given, document)
  if (schema.items !== undefined) return listMembers(schema.items, document, `${prefix}[]`)
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    const member = resolve(value, document)
    const own = {
      name,
      type: formatType(member, document),
      required: schema.required?.includes(key) === true,
      schema: member,
    }
    return [own, ...listMembers(member, document, name)]
  })
}

/** A type as a string: `string (date-time)`, `token | cookie`, `array of string`. */
export function formatType(given: Schema, document: OpenApiDocument): string {
  const schema = resolve(given, document)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.length > 8 ? 'string' : schema.enum.join(' | ')
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => formatType(one, document)).join(' | ')
  if (schema.items !== undefined) return `array of ${formatType(schema.items, document)}`
  const type = [schema.type ?? 'any'].flat().join(' | ')
  return schema.format === undefined ? type : `${type} (${schema.format})`
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  integer: 1,
  number: 1,
  boolean: true,
  array: [],
  object: {},
  null: null,
}

/** An example value: members with an example, and required members. */
export function createSample(given: Schema, document: OpenApiDocument): unknown {
  const schema = resolve(given, document)
  const told = [schema.example, schema.const, schema.default, schema.enum?.[0]].find((value) => value !== undefined)
  if (told !== undefined) return told
  if (schema.properties !== undefined) {
    const shown = Object.entries(schema.properties).filter(
      ([key, value]) => schema.required?.includes(key) === true || resolve(value, document).example !== undefined,
    )
    return Object.fromEntries(shown.map(([key, value]) => [key, createSample(value, document)]))
  }
  if (schema.anyOf?.[0] !== undefined) return createSample(schema.anyOf[0], document)
  if (schema.items !== undefined) return [createSample(schema.items, document)]
  if (schema.format === 'date-time') return '2026-01-15T12:20:00.000Z'
  return SAMPLES[[schema.type ?? 'string'].flat()[0] as string] ?? '…'
}
