"""Many rows: a request for each row, a result for each request.

    templates       a request and a frame -> the requests of some rows
    chunks          some rows on their way: requests, then what became of them
    authorizations  the one token that all of them are sent with
    scheduler       one thread that keeps an engine busy, and knows when not to
    pacing          a rate, a pause that a server asked for, a storm
    inline          an engine without threads
    checkpoints     what was answered, on disk, so that it is not asked again
    cluster         the workers of a Dask cluster, and frames that lie on it
    holders         who holds the token of a cluster, the rate, and what was answered
    leases          what a worker has of these, on loan
    channels        how a worker asks, and who may
    ledgers         what was answered, where no checkpoint is wanted
    parquet         what became of the rows, into a file and not through memory

What sends, the requests and the token are given; nothing in here knows a session.
"""
