"""What people type: the program, its commands, and the streams they write to."""
