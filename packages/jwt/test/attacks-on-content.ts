import type { Row } from './attack.ts'
import { forge, good, hmac, withClaims, withHeader, withText } from './attack.ts'
import { base64url, claims, header, seal, secret } from './craft.ts'

const [head, body, signature] = good.split('.') as [string, string, string]
const json = (value: unknown) => JSON.stringify(value)
const critical: unknown[] = [
  ...[['exp'], ['b64'], ['x'], ['alg'], ['__proto__'], ['toString'], ['x', 'x'], ['missing']],
  ...[[], '', 'exp', null, {}, [1], true, 0],
]
const jwe = (protectedHeader: object, last = 'AAAA') =>
  `${base64url(json(protectedHeader))}.${base64url('k'.repeat(256))}.AAAAAAAAAAAAAAAA.${base64url(good)}.${last}`

export const extensions: readonly Row[] = [
  {
    name: 'crit with any value',
    source: 'RFC 7515 §4.1.11; CVE-2026-35042; CVE-2026-32597; CVE-2025-59420',
    code: 'ERR_JWT_HEADER',
    attacks: [
      ...critical.map((crit) => withHeader({ crit })),
      withHeader({ crit: ['b64'], b64: true }),
      withHeader({ crit: ['x'], x: 1 }),
    ],
  },
  {
    name: 'b64, attached or detached',
    source: 'RFC 7797 §7; CVE-2026-48525',
    code: 'ERR_JWT_HEADER',
    attacks: [
      ...[false, true, null].map((b64) => withHeader({ b64 })),
      forge({ ...header, b64: false, crit: ['b64'] }, claims, (input) =>
        hmac(secret)(`${input.split('.')[0]}.${json(claims)}`),
      ),
      forge({ ...header, b64: false }).replace(/\.[^.]*\./, '..'),
    ],
  },
  {
    name: 'a JWE, independent of its content and cost',
    source: 'RFC 7516 §9; CVE-2026-29000; CVE-2024-28176; CVE-2022-36083; CVE-2023-52428',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      jwe({ alg: 'RSA-OAEP', enc: 'A256GCM', cty: 'JWT' }),
      jwe({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }),
      jwe({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' }),
      jwe({ alg: 'none', kid: 'hs-1' }, ''),
    ],
  },
  {
    name: 'the header of a nested or encrypted token on a signed one',
    source: 'RFC 7519 §5.2; RFC 7516 §4.1.2, §4.1.3',
    code: 'ERR_JWT_HEADER',
    attacks: [{ cty: 'JWT' }, { cty: 'jwt' }, { zip: 'DEF' }, { enc: 'A256GCM' }, { enc: null }].map((one) =>
      withHeader(one),
    ),
  },
  {
    name: 'a token that is the payload of another',
    source: 'RFC 7519 §5.2',
    code: 'ERR_JWT_MALFORMED',
    attacks: [forge(header, good), forge(header, json(good)), forge({ ...header, typ: 'JWT' }, good)],
  },
]

const octets = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)))
const text = json(claims)
const nested = (levels: number) => `"x":${'['.repeat(levels)}${']'.repeat(levels)}`

export const jsonTexts: readonly Row[] = [
  {
    name: 'a member that appears twice, in the header, the claims or deeper, escaped or not',
    source: 'RFC 7515 §4, §10.12; RFC 7519 §4',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      ...[
        '"sub":"root"',
        '"\\u0073ub":"root"',
        '"exp":9999999999',
        '"x":{"a":1,"a":2}',
        '"x":[{"a":1,"\\u0061":1}]',
      ].map(withText),
      ...['"alg":"none"', '"kid":"hs-2"', '"\\u0061lg":"HS256"'].map((more) =>
        forge(json(header).replace(/}$/, `,${more}}`)),
      ),
      forge(`{"alg":"none",${json(header).slice(1)}`),
    ],
  },
  {
    name: 'a member named __proto__',
    source: 'CWE-1321; CVE-2024-34273',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      ...['"__proto__":{"admin":true}', '"x":{"__proto__":null}', '"\\u005f_proto__":1'].map(withText),
      forge(json(header).replace(/}$/, ',"__proto__":{"alg":"none"}}')),
    ],
  },
  {
    name: 'a header or payload that is not a JSON object, or almost JSON',
    source: 'RFC 7519 §7.2; RFC 8259; CVE-2019-17195',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      '',
      'null',
      'true',
      '1',
      '"a"',
      '[]',
      '[{}]',
      `${text} x`,
      `${text}{}`,
      `${text}\0`,
      `{"exp":0x7fffffff}`,
      '{"exp":NaN}',
      '{"a":1,}',
      '{a:1}',
      "{'a':1}",
      '{"a":1/**/}',
      '{',
      '{"a":01}',
      '{"a":+1}',
    ].flatMap((wrong) => [forge(header, wrong), forge(wrong === '' ? '{}x' : wrong)]),
  },
  {
    name: 'a byte order mark, UTF-16, invalid or overlong UTF-8, encoded or lone surrogates',
    source: 'RFC 8725 §3.7; RFC 8259 §8.1',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      octets([0xef, 0xbb, 0xbf], text),
      Buffer.from(text, 'utf16le'),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      octets('{"sub":"', [0xff], '"}'),
      octets('{"sub":"', [0xc0, 0xaf], '"}'),
      octets('{"sub":"', [0xed, 0xa0, 0x80], '"}'),
      octets('{"sub":"', [0xe2, 0x82], '"}'),
      Buffer.from('{"sub":"\\ud800"}'),
      Buffer.from('{"\\udc00":1}'),
    ].flatMap((wrong) => [forge(header, wrong), forge(octets(`{"alg":"HS256","x":`, [...wrong], '}'))]),
  },
  {
    name: 'deeper than 32 levels, or more than 1,024 members',
    source: 'CWE-674; CVE-2025-53864',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      ...[32, 1500, 2500].map((levels) => withText(nested(levels))),
      withText(Array.from({ length: 1017 }, (_, i) => `"m${i}":0`).join(',')),
      withText(Array.from({ length: 1100 }, (_, i) => `"m${i}":0`).join(',')),
    ],
  },
]

const oddSpellings = (part: string) => [
  ...[`${part}=`, `${part}==`, ` ${part}`, `${part} `, `${part}\n`, `${part}\t`, `${part}\0`, `${part}\r\n`],
  ...[
    `${part.slice(0, 5)}\t${part.slice(5)}`,
    `${part.slice(0, 5)}+${part.slice(6)}`,
    `${part.slice(0, 5)}/${part.slice(6)}`,
  ],
  ...[
    `${part}A`.padEnd(Math.ceil((part.length + 1) / 4) * 4 + 1, 'A'),
    `${part.slice(0, 5)}?${part.slice(6)}`,
    `${part}\u00e9`,
  ],
]
const unusedBits = (part: string) => part.slice(0, -1) + String.fromCharCode(part.charCodeAt(part.length - 1) + 1)

export const bytesAndShapes: readonly Row[] = [
  {
    name: 'padding, white space, NUL, the base64 alphabet, invalid characters, an impossible length, in each segment',
    source: 'RFC 7515 §2, §5.2; RFC 4648 §3.2, §3.3',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      ...oddSpellings(head).flatMap((part) => [`${part}.${body}.${signature}`, seal(`${part}.${body}`)]),
      ...oddSpellings(body).flatMap((part) => [`${head}.${part}.${signature}`, seal(`${head}.${part}`)]),
      ...oddSpellings(signature).map((part) => `${head}.${body}.${part}`),
    ],
  },
  {
    name: 'unused bits that are not zero, in each segment',
    source: 'RFC 4648 §3.5',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      `${head}.${body}.${unusedBits(signature)}`,
      seal(`${unusedBits(base64url(`${json(header)}${' '.repeat((4 - (json(header).length % 3)) % 3)}`))}.${body}`),
      seal(`${head}.${unusedBits(base64url(`${text}${' '.repeat((4 - (text.length % 3)) % 3)}`))}`),
    ],
  },
  {
    name: 'any other number of segments, and strings similar to a token',
    source: 'RFC 7515 §7.1; RFC 8725 §3.14',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      ...[
        head,
        `${head}.${body}`,
        `${good}.`,
        `.${good}`,
        `${good}.AAAA`,
        `${good}.AAAA.AAAA`,
        '',
        '.',
        '..',
        '...',
        `${head}..${signature}`,
      ],
      ...[
        `.${body}.${signature}`,
        `Bearer ${good}`,
        `${good},${good}`,
        `${good}~`,
        `${good}~disclosure~`,
        good.replaceAll('.', '\uff0e'),
      ],
      ...[good.replaceAll('.', '%2e'), `"${good}"`, `${head}.${body}.${signature}.`, 'rt_AAAA', 'swr_AAAA'],
    ],
  },
  {
    name: 'a JSON serialization, and a string that is both JSON and compact',
    source: 'RFC 7519 §1; RFC 8725 §3.14; CVE-2022-39227',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      json({ protected: head, payload: body, signature }),
      json({ payload: body, signatures: [{ protected: head, signature }] }),
      `{"${head}.":"${body}","protected":"${head}","payload":"${body}","signature":"${signature}"}`,
      `  {"${good}":1}`,
    ],
  },
  {
    name: 'more than 16 KiB, and a flood of dots',
    source: 'CWE-400; CVE-2025-30204; CVE-2025-27144; CVE-2025-61920',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      withClaims({ x: 'x'.repeat(12_100) }),
      withHeader({ x: 'x'.repeat(12_100) }),
      '.'.repeat(1 << 20),
      `${head}.${'A'.repeat(1 << 22)}.${signature}`,
      '.'.repeat(16_384),
      `${good}${'A'.repeat(16_385 - good.length)}`,
    ],
  },
  {
    name: 'a value that is not a string',
    source: 'RFC 7519 §7.2',
    code: 'ERR_JWT_MALFORMED',
    attacks: [
      undefined,
      null,
      42,
      {},
      [],
      [good],
      Buffer.from(good),
      Object(good),
      Promise.resolve(good),
      { toString: () => good },
    ].map((token) => ({ token })),
  },
]
