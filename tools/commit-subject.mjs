// Checks the subject of the last commit: `type(scope): subject`, at most 72 characters.
import { execFileSync } from 'node:child_process'

const [subject = ''] = execFileSync('git', ['log', '--no-merges', '--format=%s', '-1'], { encoding: 'utf8' }).split(
  '\n',
)
if (!/^[a-z]+(\([a-z0-9-]+\))?!?: \S/.test(subject) || subject.length > 72) {
  console.error(
    `The subject of the last commit must look like "fix(guard): …" and have at most 72 characters: ${subject}`,
  )
  process.exit(1)
}
