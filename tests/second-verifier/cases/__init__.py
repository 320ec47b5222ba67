"""Cases of the second verifier's test; `countersign_verifier` is the package or its bundle."""
