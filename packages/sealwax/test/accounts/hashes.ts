/**
 * Hashes written by other software, with their passwords: werkzeug 3, better-auth, libxcrypt
 * (bcrypt), Python's hashlib (PBKDF2 and scrypt in the notation of Django and Keycloak), and test
 * vectors of argon2, phpass and Firebase's scrypt.
 */
export const HASHES: readonly (readonly [name: string, format: string, password: string, hash: string])[] = [
  [
    'argon2i',
    'argon2',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'argon2i 1.0',
    'argon2',
    'password',
    '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  ],
  [
    'argon2id',
    'argon2',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'argon2d',
    'argon2',
    'correct horse',
    '$argon2d$v=19$m=4096,t=2,p=2$6Bx6B/AC3aDDscTv7anqiw$G+UFYXlZ7pUMExvc+An+yrrGrcj3NZrOwaxFKDePfUg',
  ],
  [
    'Django argon2',
    'argon2',
    'correct horse',
    'argon2$argon2id$v=19$m=4096,t=2,p=2$pnce8LVovk3gDEC2IoqRxQ$KmovsBBAm0+DL8A8poPajZ9QLBJdrxL6rRBkIpiUIBs',
  ],
  ['bcrypt 2a', 'bcrypt', 'correct horse', '$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'],
  ['bcrypt 2b', 'bcrypt', 'correct horse', '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'],
  ['bcrypt 2y', 'bcrypt', 'correct horse', '$2y$10$abcdefghijklmnopqrstuu23JPZtHcGhwXSF41f93o/7vBdDut3Xu'],
  [
    'Django bcrypt',
    'bcrypt (Django)',
    'correct horse',
    'bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
  ],
  [
    'Django bcrypt_sha256',
    'bcrypt over SHA-256 (Django)',
    'correct horse',
    'bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq',
  ],
  [
    'WordPress 6.8',
    'bcrypt over SHA-384 (WordPress)',
    'correct horse',
    '$wp$2y$10$abcdefghijklmnopqrstuuA.NtWkdu8VmWC3ClnWUEHy4fqZrKNuK',
  ],
  [
    'werkzeug scrypt',
    'scrypt (werkzeug)',
    'correct horse',
    'scrypt:32768:8:1$Nd6Z1n38H8ucdMsq$4d6a67539660066da5a9519567aeeb3528d516853cf2d5d76f4ba88d3e9f13cd5b0ca9132d6a7301c391050d22c124073db26dbd453be69e0106873cb90cd210',
  ],
  [
    'Django scrypt',
    'scrypt (Django)',
    'correct horse',
    'scrypt$16384$seasalt$8$5$nXachnDoZ26UFUF1o3PD3FjYfKq/mD4nZm22d5L0rp+Bi3DZTjkayk+fTW77FlT+2IelThLoihBYgWjZHfwh3Q==',
  ],
  [
    'Better Auth',
    'scrypt (Better Auth)',
    'correct horse',
    '4ff2c748e49bfa57f7290f05268ece7b:a3ac7b904086a93cc2facc9e055c6f87bca19ce43a5e8e75042d73d1240e7a16f8ca139367c2e5d7472fdb69a28fb8cb25364f88ba6127bd6721658f0a46440a',
  ],
  [
    'Better Auth, NFKC',
    'scrypt (Better Auth)',
    'Caf\u00e9 \ufb01ne croissants',
    '543fcbe94dccca425645117d7ace6671:3e30ccae91a29e4255e48cfa761b29c35206532760da84d0dd1c18988640b3231a33e26b65b737717ee927dbbe0932f6a51b196a84cb12b2556177818421727b',
  ],
  [
    'Firebase',
    'scrypt (Firebase)',
    'user1password',
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  ],
  [
    'Firebase, url-safe',
    'scrypt (Firebase)',
    'user1password',
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC-ixf3L2lw==$lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==',
  ],
  [
    'werkzeug PBKDF2',
    'PBKDF2 (werkzeug)',
    'correct horse',
    'pbkdf2:sha256:1000000$bx5IB7dO2G8cgOUk$bd9ad62073ed3f72aaf043428e2ce2a48084d415fed7cf8f303756466d33912a',
  ],
  [
    'werkzeug PBKDF2-SHA1',
    'PBKDF2 (werkzeug)',
    'correct horse',
    'pbkdf2:sha1:1000$b4zkNM532Wpsk8iE$0e08689e8893af25382e77679ae6196dd96b672b',
  ],
  [
    'werkzeug PBKDF2-SHA512',
    'PBKDF2 (werkzeug)',
    'correct horse',
    'pbkdf2:sha512:1000$yWz6G6QtAGWGtDbb$4fc49f76d762a1e741e51bced84ce6b3eb109e45dc19d39cb7656382dff15d42ba89fae38852541df915243cce8b2c59ce80b6cc22d5b870872e057271f81b70',
  ],
  [
    'Django PBKDF2',
    'PBKDF2 (Django)',
    'correct horse',
    'pbkdf2_sha256$1000000$seasalt$eDeT2Bk71DYBhUNxsvTfOL61wQ+l2yaHzCst8hDsfHQ=',
  ],
  ['Django PBKDF2-SHA1', 'PBKDF2 (Django)', 'correct horse', 'pbkdf2_sha1$1000$seasalt$iQvkNOF1wEL4Khh8eogJ8rUhipM='],
  [
    'Keycloak PBKDF2-SHA512',
    'PBKDF2',
    'correct horse',
    JSON.stringify({
      credentialData: JSON.stringify({ hashIterations: 210_000, algorithm: 'pbkdf2-sha512', additionalParameters: {} }),
      secretData: JSON.stringify({
        value: 'l4pqr0UVqxiWEnbGDBV//hzeVcB7ZgsFnr5Z+SZYIYjhXWCECCVC/oKM2WWMwBzQGCBfe2yb+20zK3Rr1rkPjg==',
        salt: 'AAECAwQFBgcICQoLDA0ODw==',
        additionalParameters: {},
      }),
    }),
  ],
  [
    'Keycloak PBKDF2-SHA256',
    'PBKDF2',
    'correct horse',
    JSON.stringify({
      credentialData: { hashIterations: 27_500, algorithm: 'pbkdf2-sha256' },
      secretData: {
        value: 'qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U6teQVH1eR2L5DfcV0psPIfjGPtlZbkpnogYX+2TaSl6w==',
        salt: 'AAECAwQFBgcICQoLDA0ODw==',
      },
    }),
  ],
  [
    'Keycloak argon2',
    'argon2',
    'correct horse',
    JSON.stringify({
      credentialData: JSON.stringify({
        hashIterations: 2,
        algorithm: 'argon2',
        additionalParameters: {
          hashLength: ['32'],
          memory: ['4096'],
          type: ['id'],
          version: ['1.3'],
          parallelism: ['2'],
        },
      }),
      secretData: JSON.stringify({
        value: 'KmovsBBAm0+DL8A8poPajZ9QLBJdrxL6rRBkIpiUIBs=',
        salt: 'pnce8LVovk3gDEC2IoqRxQ==',
      }),
    }),
  ],
  ['phpass', 'phpass', 'test12345', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
  ['WordPress phpass', 'phpass', 'correct horse', '$P$BnFHPgZ1SZZpItYt.5/J2bdwMxCnxf1'],
  ['phpBB phpass', 'phpass', 'test12345', '$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
]
