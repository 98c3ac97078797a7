/** An address with the name that mail programs show. */
export interface Mailbox {
  readonly name: string | undefined
  readonly address: string
}

/** One address: no white space, control characters, quotes, brackets or lists. */
const ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]{1,64}@[^\s\p{C}@<>()[\]\\,;:"]{1,255}$/u

/** A name that needs no escaping in a header, once it is quoted. */
const NAME = /^[^\p{C}<>"\\]{1,100}$/u

/** Whether a string is one address that can stand in a header. */
export function isAddress(value: string): boolean {
  return ADDRESS.test(value)
}

/** Parses `Name <address>` or an address. Undefined for anything else. */
export function parseMailbox(value: string): Mailbox | undefined {
  const [, named, bracketed] = /^([^<>]*[^<>\s])\s*<([^<>]*)>$/.exec(value) ?? []
  const address = bracketed ?? value
  const name = named?.trim().replace(/^"(.*)"$/, '$1')
  if (!isAddress(address) || (name !== undefined && !NAME.test(name))) return undefined
  return { name, address }
}

/** The spelling in a header: `"Name" <address>`. */
export function spellMailbox({ name, address }: Mailbox): string {
  return name === undefined ? address : `"${name}" <${address}>`
}
