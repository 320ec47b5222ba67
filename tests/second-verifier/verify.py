#!/usr/bin/env python3
"""Verifies a Countersign evidence file or disclosure: verify.py FILE --root VKEY [--json]

The verifier is the package beside this file; `bundle` makes one file of it for auditors.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from countersign_verifier.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
