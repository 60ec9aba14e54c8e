"""Completion in shells: the script of each shell, and the answers it asks the program for."""
