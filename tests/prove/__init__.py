"""The fault run: many clients write under faults, then the table is compared with the answers they got.

`make prove SEED=7` (`python -m tests.prove --seed 7 [--operations 1200] [--clients 12]`) runs it over dynoxide. Every
second client works alone, so none of its requests may be refused; the others also work on common entities. Each attempt
of the SDK may lose its request or its answer, be throttled, conflict, or kill its process, and one answer in five never
reaches the client, which repeats its request with the same key. Meanwhile the stream, the queues, the mail and the
schedules run under their own faults. Then all pending work is finished, and `checks` explains every item of the table
by the answers. A violation is reported with its requests, attempts, answers and audit entries.

All choices and faults follow from the seed; only the order of the threads does not.
`--sabotage NAME` breaks the product on purpose: see `sabotage`.
"""
