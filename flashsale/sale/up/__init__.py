"""Opening the sale, or bringing an open one up to date.

``up`` is the whole of it; ``outdated`` finds the pods of an old version and ``rollout`` replaces
them; ``renamed`` removes what earlier manifests called otherwise; ``rollback`` undoes what a failed
`up` has begun; ``bookkeeping`` writes down what later commands need.
"""
