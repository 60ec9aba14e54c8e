"""The program imported once, and forked for each command.

A command is then a process as any other, with its own arguments, environment, streams, signals and
exit code, but without the third of a second that its imports take. What starts otherwise (on a
terminal, in the background) is the whole program, imports and all.
"""
