"""`python -m simulators`: the local environment as a process."""

from __future__ import annotations

import sys

from simulators.launch import main

sys.exit(main(sys.argv[1:]))
