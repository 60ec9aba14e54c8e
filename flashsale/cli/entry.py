"""Where the installed programs begin: a Ctrl-C before there is anything to tidy up just ends them.

Python would print a traceback of whatever it was importing. What it imports before this module it
still does: that is nothing of ours.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell says 130 of that


def main() -> None:
    """Run the command line; from here on a Ctrl-C is told to whatever runs."""
    from flashsale.cli.main import main as run

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
