"""The program and the embedded cluster imported once, and forked for each process of them.

A command is then a process as any other, with its own arguments, environment, streams, signals and
exit code, but without the half of a second that its imports take; and so is a cluster that such a
command starts. `Flashsale.apart` runs the whole program instead, imports and all.
"""
