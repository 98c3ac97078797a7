"""A Flask service that accepts the access tokens of a Sealwax server."""

import json
import os
import threading
import time
from functools import wraps
from urllib.request import urlopen

import jwt
from flask import Flask, g, jsonify, request

ISSUER = os.environ["ISSUER"]  # the issuer of the server, byte for byte
AUDIENCE = os.environ["AUDIENCE"]  # the name of this service
ALGORITHMS = ["ES256"]  # the option alg of the server
LEEWAY = 5  # how far the clocks may differ, in seconds

app = Flask(__name__)


class Refused(Exception):
    def __init__(self, status, code, detail):
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Keys(jwt.PyJWKClient):
    """The public keys of the server, which it replaces from time to time.

    PyJWKClient alone makes a request for each token with an unknown key, which anyone can send, and
    loses its keys when a request fails.
    """

    MAX_AGE = 600
    COOL_DOWN = 30  # after a request, before the next one because of an unknown key
    RETRY = 1  # after a failed request, while there are no keys

    def __init__(self, url):
        super().__init__(url, cache_jwk_set=False)
        self.by_kid = {}
        self.fetched = float("-inf")
        self.lock = threading.Lock()

    def fetch_data(self):
        with urlopen(self.uri, timeout=5) as response:
            return json.load(response)

    def find(self, kid):
        with self.lock:
            age = time.monotonic() - self.fetched
            if not self.by_kid:
                is_due = age > self.RETRY
            else:
                is_due = age > self.MAX_AGE or (kid not in self.by_kid and age > self.COOL_DOWN)
            if is_due:
                self.fetch()
            if not self.by_kid:
                raise Refused(503, "keys_unavailable", "The keys of the issuer cannot be fetched. Try again.")
            return self.by_kid.get(kid)

    def fetch(self):
        self.fetched = time.monotonic()
        try:
            self.by_kid = {key.key_id: key.key for key in self.get_signing_keys()}
        except (OSError, ValueError, jwt.PyJWTError) as error:
            app.logger.warning("the keys of %s cannot be fetched: %s", ISSUER, error)


keys = Keys(f"{ISSUER.rstrip('/')}/.well-known/jwks.json")

# The first class that matches applies.
CODES = [
    (jwt.ExpiredSignatureError, "token_expired", "The access token has expired. Refresh it."),
    (jwt.InvalidAudienceError, "token_audience_invalid", "The access token is for another API."),
    (jwt.InvalidIssuerError, "token_issuer_invalid", "The access token is from another issuer."),
    (jwt.MissingRequiredClaimError, "token_claim_missing", "The access token lacks a claim."),
    (jwt.InvalidSignatureError, "token_signature_invalid", "The access token was altered."),
    (jwt.InvalidAlgorithmError, "token_algorithm_not_allowed", "The access token has another algorithm."),
    (jwt.DecodeError, "token_malformed", "The token is not an access token."),
    (jwt.PyJWTError, "token_claim_invalid", "A claim of the access token is not acceptable."),
]


def authenticate(authorization):
    """Returns the claims of the access token in an Authorization header."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, "token_missing", "Send an access token: Authorization: Bearer …")
    try:
        header = jwt.get_unverified_header(token)
        # RFC 9068 §4: the same keys may sign other tokens, for other purposes.
        if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":
            raise Refused(401, "token_type_invalid", "The token is not an access token.")
        key = keys.find(header.get("kid"))
        if key is None:
            raise Refused(401, "token_key_unknown", "The access token is signed with an unknown key.")
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
        )
    except jwt.PyJWTError as error:
        code, detail = next((code, detail) for kind, code, detail in CODES if isinstance(error, kind))
        raise Refused(401, code, detail) from error
    if "cnf" in claims:  # RFC 9449: it is bound to a key of its sender, and this service checks no proofs
        raise Refused(401, "token_proof_required", "The access token is bound to a key.")
    return claims


def protect(role=None):
    """Requires an access token, and a role if one is given. The claims are in g.claims."""

    def decorate(view):
        @wraps(view)
        def guarded(*args, **kwargs):
            g.claims = authenticate(request.headers.get("Authorization", ""))
            if role is not None and role not in g.claims.get("roles", []):
                raise Refused(403, "insufficient_role", f"This needs the role {role}.")
            return view(*args, **kwargs)

        return guarded

    return decorate


@app.errorhandler(Refused)
def answer(error):
    response = jsonify(status=error.status, code=error.code, detail=error.detail)
    response.status_code = error.status
    response.content_type = "application/problem+json"
    if error.status == 401:
        problem = "" if error.code == "token_missing" else f', error="invalid_token", error_description="{error.detail}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="api"{problem}'
    if error.status == 503:
        response.headers["Retry-After"] = "1"
    return response


@app.get("/profile")
@protect()
def profile():
    return jsonify(user_id=g.claims["sub"])


@app.get("/reports")
@protect(role="teacher")
def reports():
    return jsonify([])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5002")))
