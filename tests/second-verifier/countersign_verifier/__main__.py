"""The bundle and `python3 -m countersign_verifier` begin here."""

import sys

from countersign_verifier.command import main

if __name__ == "__main__":
    sys.exit(main())
