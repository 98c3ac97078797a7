/**
 * Reads the body of a response as UTF-8. Stops after `limit` bytes, so that a server cannot fill
 * the memory.
 * @throws {Error} if it is larger, or not UTF-8
 */
export async function readBody(response: Response, limit: number): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    size += part.value.length
    if (size > limit) {
      await reader?.cancel()
      throw new Error(`the response is larger than ${limit} bytes`)
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}
