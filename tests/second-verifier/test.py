#!/usr/bin/env python3
"""Tests the second verifier against tests/vectors, and the reference verifier against it.

    test.py [--countersign PATH] [--also FILE VKEY]... [--bundle FILE] [--verbose]

The package is tested first; then a bundle is made of it, and the same cases are run with the
verifier inside of the bundle. With --countersign, every file is also given to `PATH verify FILE
--root VKEY --json`, and the outcomes of both are compared by unit, month, revision and check.
--also adds files of one's own, for example the evidence of a demo. --bundle tests a bundle that is
there already, and nothing else. The last line is `N passed, N failed`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True


def arguments():
    parser = argparse.ArgumentParser(description="Tests the second verifier")
    parser.add_argument("--countersign", metavar="PATH", help="the reference program")
    parser.add_argument(
        "--also",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE", "VKEY"),
        help="one more file that is right",
    )
    parser.add_argument("--bundle", metavar="FILE", help="test this bundle, not the package")
    parser.add_argument(
        "--write-examples", action="store_true", help="write the examples of protocol/spec anew"
    )
    parser.add_argument("--verbose", action="store_true", help="show what passed as well")
    return parser.parse_args()


def run_cases():
    from cases import edwards, evidence, vectors

    groups = (vectors.notes, vectors.keys, edwards.curve, vectors.log, vectors.groups)
    groups += (vectors.period, vectors.record)
    groups += (evidence.evidence, evidence.refusals, evidence.flips)
    for group in groups:
        group()


def also_right(files):
    from cases.results import check, fails
    from countersign_verifier.command import exit_code, verify

    for path, vkey in files:
        with open(path, "rb") as f:
            report = verify(f.read(), vkey)
        check(exit_code(report) == 0, "also: %s %s" % (path, report["error"] or fails(report)))


def package_cases(args):
    """What is asked of the package only: the bundle is the same text."""
    from cases import bundle, compare, exits, spec_examples, spec_steps
    from cases.results import Results

    groups = (spec_examples.examples, spec_steps.form, spec_steps.index)
    groups += (spec_steps.python_steps, spec_steps.rust_steps, spec_steps.rust_codes)
    groups += (exits.exits,)
    for group in groups:
        group()

    if args.countersign:
        compare.comparisons(args.countersign, args.also)
    path = bundle.bundled()
    again = [sys.executable, "-I", os.path.abspath(__file__), "--bundle", path]
    run = subprocess.run(again, stdout=subprocess.PIPE)
    lines = run.stdout.decode().splitlines()
    print("\n".join("bundle: " + line for line in lines))
    counted = re.fullmatch("([0-9]+) passed, ([0-9]+) failed", lines[-1] if lines else "")
    Results.passed += int(counted.group(1)) if counted else 0
    Results.failed += int(counted.group(2)) if counted else 1
    shutil.rmtree(os.path.dirname(path))


def main():
    args = arguments()
    sys.path.insert(0, HERE)
    if args.bundle:
        sys.path.insert(0, os.path.abspath(args.bundle))
    from cases.results import Results, check
    import countersign_verifier

    Results.verbose = args.verbose
    if args.write_examples:
        from cases import spec_examples

        spec_examples.write()
    place = os.path.abspath(args.bundle) if args.bundle else HERE
    own = countersign_verifier.__file__.startswith(place)
    check(own, "the verifier under test is the one in %s" % place)
    run_cases()
    also_right(args.also)
    if not args.bundle:
        package_cases(args)
    print("%d passed, %d failed" % (Results.passed, Results.failed))
    return int(Results.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
