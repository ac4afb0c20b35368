"""Sign-in by an organisation's own identity provider (OpenID Connect, code flow with PKCE).

`trips` is what a browser carries while its person is away at the provider; `directory` what the
provider says of itself, and its tokens; `asking` sends somebody there and judges what they bring
back; `entering`, `stepping` and `linking` are what that is good for. `settings` is the
administrator's.
"""
