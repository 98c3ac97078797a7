/** A user of the lesson. The password is public: the server exists only in memory. */
interface DemoUser {
  readonly email: string
  readonly password: string
  readonly roles: readonly string[]
}

/** What the server of the lesson tells about itself. */
export interface Demo {
  /** The origin of this page. */
  readonly origin: string
  /** Another origin on the same computer, of another site. */
  readonly foreign: string
  /** Another origin on the same computer, of the same site. */
  readonly neighbour: string
  readonly users: { readonly ada: DemoUser; readonly grace: DemoUser }
}

let asked: Promise<Demo> | undefined

/** Asks the server once. */
export function demo(): Promise<Demo> {
  asked ??= fetch('./learn/api/demo').then((reply) => reply.json() as Promise<Demo>)
  return asked
}
