"""Second verifier of Countersign evidence, written from the specification alone.

| module            | section of protocol/SPEC.md                                          |
|-------------------|----------------------------------------------------------------------|
| fault, notation   | the introduction: digests, base64, JSON, forms of members            |
| sodium, edwards   | 1 and 6: what is left to libsodium, and what it does not tell        |
| note              | 1 signed notes, keys, documents                                      |
| registry          | 2 registry                                                           |
| statement         | 3 statement and record                                               |
| log, reading      | 4 tree, bundles, checkpoints; the steps of reading a log             |
| catalogue, plan   | 5 catalogue, schemas, plans                                          |
| succession        | 5 whether a catalogue follows another one                            |
| group, commitments | 6 group, generators, commitments                                     |
| figures           | 7 figures                                                            |
| rollup, checks    | 8 the rollup and its five checks, one module a check                 |
| receipt           | 9 receipt and arrivals                                               |
| disclosure        | 10 disclosure                                                        |
| archive, evidence | 11 the zip and the evidence file                                     |
| command           | the command line                                                     |

A function in a `STEPS` tuple is one step of the specification and has its name.
No two modules import each other.
"""
