import type { Context } from '../core/context.ts'

/** A command of `sealwax`, declared by a feature. Servers may run at the same time. */
export interface Command<Input = never> {
  readonly name: string
  readonly description: string
  /** Positional arguments: `<name>` is required, `[name]` optional. `run` gets each by its name. */
  readonly arguments?: readonly (readonly [usage: string, description?: string])[]
  readonly options?: readonly CommandOption[]
  run(context: Context, input: Input): Promise<void>
}

/** A command that needs neither settings nor a database. */
export interface StandaloneCommand<Input = never> extends Omit<Command, 'run'> {
  readonly standalone: true
  run(input: Input): Promise<void>
}

/** An option such as `--end-sessions`, which `run` gets as `endSessions`. */
export interface CommandOption {
  /** The option and the name of its value, if it has one: `--role <role>`. */
  readonly flags: string
  readonly description: string
  readonly required?: true
  /** Whether it may be repeated; its value is then a list. */
  readonly repeated?: true
  readonly default?: string
}

/**
 * The commands of a feature: `sealwax users create` is the command `create` of the group `users`.
 */
export interface CommandedFeature {
  readonly name: string
  readonly commands?: {
    readonly name: string
    readonly description: string
    readonly commands: readonly (Command | StandaloneCommand)[]
  }
}

/** Prints one JSON line. What the HTTP API returns, too, has the same members there. */
export function print(value: unknown): void {
  console.log(JSON.stringify(value))
}
