"""The fault run: many clients write while everything breaks, then the table is held against what they were answered.

`make prove SEED=7` (`python -m tests.prove --seed 7 [--operations 1200] [--clients 12]`) runs it over dynoxide. Every
second client works alone, so nothing may ever be refused it; the others also work on what all have in common. Each try
of the SDK may lose its request or its answer, be throttled, collide, or kill its process, and one answer in five never
reaches the client, which repeats its request with the same key. Meanwhile the stream, the queues, the mail and the
schedules run under faults of their own. Then everything that is to follow follows, and `checks` explains every item of
the table by what was answered. Whatever is wrong is told with its requests, attempts, answers and audit entries.

All choices and faults follow from the seed; only the order in which threads come to their turn does not.
`--sabotage NAME` breaks the product on purpose: see `sabotage`.
"""
