"""The simulators behind `@demo`: they answer as the real servers do.

    clocks              a clock that stands still until it is moved
    answers             an answer, before there is any HTTP around it
    league, league_tokens, league_errors
                        the token server of the league/oauth2-server family
    rate_limits         so many requests in so much time
    seen                what was asked and answered
    web                 between the web framework and the simulators
    revsto, revsto_resources, revsto_data
                        Revsto / TagPay
    in_process          a simulator as a transport: no socket, no thread
    serving             a simulator over TLS on 127.0.0.1

The rest of the package reaches a simulator only as a transport.

To write one:

1. Collect what the provider documents. Where it documents nothing, invent as
   little as you can and say so ("our invention") in the docstring.
2. Write the protocol without HTTP: values in, `Answer` out. Time and randomness
   are arguments, so that the same calls give the same bytes.
3. Put a class around it with `wsgi_app(environ, start_response)`, and the methods
   that play the server's side: `revoke`, `throttle`, `refuse`, `reset`.
4. Add a function `create(clock, randomness)` and name it in the provider:
   `simulator="package.module:create"`.

Everything in here is fake: users, accounts, amounts, keys and credentials.
"""
