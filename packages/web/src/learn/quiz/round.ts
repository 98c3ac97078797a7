/** An answer to choose. In texts, what stands between backticks is code. */
export interface Answer {
  readonly text: string
  readonly isRight: boolean
  /** Why it is right or wrong. */
  readonly explanation: string
}

/** A question with one right answer. */
export interface Question {
  readonly id: string
  readonly text: string
  readonly answers: readonly Answer[]
  /** The id and the number of the step that is about it. */
  readonly step: { readonly id: string; readonly number: number }
}

/** Shuffled questions with shuffled answers, and what the reader has answered so far. */
export interface Round {
  readonly questions: readonly Question[]
  /** The answers that were checked, by the id of the question, the first one first. */
  readonly checked: Readonly<Record<string, readonly Answer[]>>
}

/** What the reader has achieved in a round. */
export interface Score {
  readonly answered: number
  /** The questions whose first answer was right. */
  readonly rightAtFirst: number
  /** The questions whose first answer was wrong, in the order of the round. */
  readonly missed: readonly Question[]
}

/** Returns a whole number from 0 to below `count`. */
export type Random = (count: number) => number

/** Returns the items in random order (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const rest = [...items]
  return items.map(() => rest.splice(random(rest.length), 1)[0] as Item)
}

/** Starts a round. */
export function newRound(questions: readonly Question[], random: Random): Round {
  const ordered = shuffled(questions, random)
  return {
    questions: ordered.map((question) => ({ ...question, answers: shuffled(question.answers, random) })),
    checked: {},
  }
}

/** Adds an answer of the reader. */
export function withAnswer(round: Round, question: Question, answer: Answer): Round {
  const before = round.checked[question.id] ?? []
  return { ...round, checked: { ...round.checked, [question.id]: [...before, answer] } }
}

/** Counts. Answers after the first one to a question do not matter. */
export function scoreOf({ questions, checked }: Round): Score {
  const answered = questions.filter(({ id }) => checked[id] !== undefined)
  const missed = answered.filter(({ id }) => checked[id]?.[0]?.isRight === false)
  return { answered: answered.length, rightAtFirst: answered.length - missed.length, missed }
}
