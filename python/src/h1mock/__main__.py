"""`python -m h1mock` runs the program."""

from h1mock.program import main

main()
