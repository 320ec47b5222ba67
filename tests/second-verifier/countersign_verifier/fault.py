"""How a verification ends when something contradicts."""


class Fault(Exception):
    """The first thing that contradicts.

    Inside a check it fails the check; outside of one the file is refused.
    """


def need(condition, why):
    """Raises a Fault that says `why` unless the condition is true."""
    if not condition:
        raise Fault(why)
