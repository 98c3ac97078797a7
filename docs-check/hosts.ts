const hosts = new Map<string, (request: Request) => Response | Promise<Response>>()
const real = globalThis.fetch

/** Answers `fetch` for an origin that does not exist, such as https://auth.example.com. */
export function answerAt(origin: string, answer: (request: Request) => Response | Promise<Response>): void {
  hosts.set(origin, answer)
}

globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  const answer = hosts.get(new URL(request.url).origin)
  return answer === undefined ? real(input, init) : answer(request)
}
