/**
 * A token of a shop that does not exist, signed with a key that was never stored: nobody can verify
 * it or make another one. Its payload has three things that must not be in a token.
 */
export const STRANGER = [
  'eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InNob3AtMjAyNSJ9',
  [
    'eyJpc3MiOiJodHRwczovL3Nob3AuZXhhbXBsZSIsInN1YiI6ImN1c3RvbWVyLTQ3MTEiLCJhdWQiOiJodHRwczovL2FwaS5zaG9wLmV4YW1wbGUi',
    'LCJpYXQiOjE3MzU3MjU2MDAsImV4cCI6MTczNTcyOTIwMCwicm9sZXMiOlsiY3VzdG9tZXIiXSwicGFzc3dvcmRfaGFzaCI6IiQyYiQxMCROOXFv',
    'OHVMT2lja2d4MlpNUlpvTXllSWpaQWdjZmw3cDkybGRHeGFkNjhMSlpkTDE3bGhXeSIsImNhcmQiOnsibnVtYmVyIjoiNDExMSAxMTExIDExMTEg',
    'MTExMSIsImV4cGlyZXMiOiIwOC8yNyJ9LCJkYXRhYmFzZSI6InBvc3RncmVzOi8vc2hvcDpzM2NyZXQtNC1vcmRlcnNAZGIuc2hvcC5leGFtcGxl',
    'L29yZGVycyJ9',
  ].join(''),
  '2tt-mdl5V13vWE4Kxu0hK3se1yHGjJmvNfTcw84VnYLclK0PTJRFCjdaQn6usz7HAsIi2ZG7tb7muwEveGayMg',
].join('.')
