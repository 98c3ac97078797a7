import assert from 'node:assert/strict'
import { test } from 'node:test'
import { questions } from '../src/learn/quiz/questions.ts'
import { type Answer, newRound, type Question, scoreOf, shuffled, withAnswer } from '../src/learn/quiz/round.ts'

/** Returns the given numbers, one after the other. */
function sequence(numbers: readonly number[]) {
  let index = 0
  return (count: number) => {
    const number = numbers[index++ % numbers.length] as number
    assert.ok(count > 0)
    return number % count
  }
}

function answerOf(question: Question, isRight: boolean): Answer {
  return question.answers.find((answer) => answer.isRight === isRight) as Answer
}

test('quiz: has ten questions, each with one right answer, and an explanation for every answer', () => {
  assert.equal(questions.length, 10)
  assert.equal(new Set(questions.map(({ id }) => id)).size, 10)
  assert.equal(new Set(questions.map(({ text }) => text)).size, 10)
  for (const { text, answers } of questions) {
    assert.equal(answers.length, 4, text)
    assert.equal(answers.filter(({ isRight }) => isRight).length, 1, text)
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 4, text)
    for (const answer of answers) assert.match(answer.explanation, /.{15}\.$/, answer.text)
  }
})

test('quiz: the right answer is not always the longest', () => {
  const longest = questions.filter(({ answers }) => {
    const right = answers.find(({ isRight }) => isRight) as Answer
    return answers.every(({ text }) => text.length <= right.text.length)
  })
  assert.ok(longest.length <= 5, longest.map(({ id }) => id).join(', '))
})

test('quiz: code in texts is closed by a backtick', () => {
  const texts = questions.flatMap(({ text, answers }) => [
    text,
    ...answers.flatMap((answer) => [answer.text, answer.explanation]),
  ])
  assert.ok(texts.some((text) => text.includes('`')))
  for (const text of texts) assert.equal(text.split('`').length % 2, 1, text)
})

test('quiz: shuffling keeps every item once, changes the order, and leaves the original alone', () => {
  const items = ['a', 'b', 'c', 'd']
  assert.deepEqual(shuffled(items, sequence([0])), ['a', 'b', 'c', 'd'])
  assert.deepEqual(shuffled(items, sequence([3, 2, 1, 0])), ['d', 'c', 'b', 'a'])
  assert.deepEqual(shuffled(items, sequence([2, 0, 1, 0])), ['c', 'a', 'd', 'b'])
  assert.deepEqual(items, ['a', 'b', 'c', 'd'])
})

test('quiz: every order is possible', () => {
  const orders = new Set<string>()
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 2; b++) orders.add(shuffled(['a', 'b', 'c'], sequence([a, b, 0])).join(''))
  }
  assert.equal(orders.size, 6)
})

test('quiz: a round has all questions, with all their answers, in the order of the random source', () => {
  const round = newRound(questions, sequence([7, 3, 1, 4, 2]))
  assert.deepEqual(round.questions.map(({ id }) => id).toSorted(), questions.map(({ id }) => id).toSorted())
  assert.notDeepEqual(
    round.questions.map(({ id }) => id),
    questions.map(({ id }) => id),
  )
  for (const question of round.questions) {
    const original = questions.find(({ id }) => id === question.id) as Question
    assert.deepEqual(new Set(question.answers), new Set(original.answers))
  }
  assert.deepEqual(newRound(questions, sequence([7, 3, 1, 4, 2])), round)
  assert.deepEqual(scoreOf(round), { answered: 0, rightAtFirst: 0, missed: [] })
})

test('quiz: only the first answer to a question counts, and a wrong one is not counted twice', () => {
  let round = newRound(questions, sequence([0]))
  const [one, two, three] = round.questions as [Question, Question, Question]
  round = withAnswer(round, one, answerOf(one, true))
  assert.deepEqual(scoreOf(round), { answered: 1, rightAtFirst: 1, missed: [] })
  round = withAnswer(round, two, answerOf(two, false))
  round = withAnswer(round, two, answerOf(two, true))
  assert.deepEqual(scoreOf(round), { answered: 2, rightAtFirst: 1, missed: [two] })
  round = withAnswer(round, one, answerOf(one, false))
  assert.deepEqual(scoreOf(round), { answered: 2, rightAtFirst: 1, missed: [two] })
  assert.equal(round.checked[three.id], undefined)
  assert.equal(round.checked[two.id]?.length, 2)
})

test('quiz: answering changes neither the order nor the round before', () => {
  const round = newRound(questions, sequence([5, 1, 2]))
  const question = round.questions[0] as Question
  const after = withAnswer(round, question, answerOf(question, true))
  assert.equal(after.questions, round.questions)
  assert.deepEqual(round.checked, {})
})
