"""What goes wrong in rules, and the signals with which the kit leaves a rule that is running."""

from netcode.errors import NetcodeError


def sayable(text: object) -> str:
    """Return a text as it can be sent: half of a surrogate pair, as in names of files that are no UTF-8, is written out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


class RulesError(NetcodeError):
    """A class of rules breaks a promise. The text says which, and shows how to write it right."""


class Unfit(NetcodeError, ValueError):
    """A value does not fit what its annotation or its domain says; the text says where."""


BUGS = (Exception, SystemExit)
"""What a rule that fails may end with. `sys.exit()` in one would end a program that has everybody's games."""


class Leave(BaseException):
    """Base of what ends a rule early. Not an `Exception`, so that no `except Exception` of a rule holds it up."""


class Refusal(Leave):
    """`require` was not met: nothing happens, and the seat is told the text."""

    @property
    def text(self) -> str:
        """Why."""
        return sayable(
            self.args[0]
        )  # without an __init__ of its own it is raised in half the time, and trials raise many


class Suspended(Leave):
    """The rule asked something that nobody has answered yet."""


class Enough(Leave):
    """A dry run saw what it had to: the rule drew, asked or ended."""


class Changed(Leave):
    """A rule that ran again asked something else than the first time."""
