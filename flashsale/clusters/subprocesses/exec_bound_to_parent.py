"""Becomes another program that ends with the one that started it. A script of its own.

`python -I -S exec_bound_to_parent.py FD PARENT PROGRAM ...` writes its process id to the open file
FD, which it leaves open: whoever finds that file locked knows that the program lives. On Linux the
kernel asks the program to end when PARENT dies, even by SIGKILL; elsewhere nobody does.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>; it survives exec


def main() -> None:
    """Note the process id, ask for the signal, and become the program."""
    descriptor, parent, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    os.write(descriptor, f"{os.getpid()}\n".encode())
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit(1)  # it died before we could ask
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
