import { PrintedQuiz, Quiz } from '../quiz/quiz.tsx'
import type { Step } from '../step.ts'

/** Step 12: ten questions. */
export const quiz: Step = {
  id: 'quiz',
  title: 'Quiz',
  text: (
    <p>
      Ten questions about the lesson, in a new order each time. Wrong answers cost nothing: each one has an explanation,
      and you can choose again. At the end you see how many you had right at the first try.
    </p>
  ),
  tasks: [
    {
      id: 'answers',
      title: 'Answer ten questions',
      text: <p>Choose an answer and check it. One answer to each question is right.</p>,
      Live: Quiz,
      Printed: PrintedQuiz,
      afterwards: (
        <p>
          That was the lesson. You have taken tokens apart, made them, sent them, changed them and refused them. You can
          come back to each step at any time.
        </p>
      ),
    },
  ],
}
