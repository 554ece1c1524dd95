"""Every error that a user can cause, in one small tree.

    UndertoneError            one line for the user: file, key, value, remedy; exit code 1
    +-- UsageError            the command line or the configuration is wrong; exit code 2
    |   +-- ConfigError       a YAML file (configuration, rules, lexicon) cannot be taken
    +-- SourceError           a recording or a device cannot be heard
    +-- ModelError            a model bundle is refused, or missing
    +-- BusError              the broker cannot be reached, or refuses us
    +-- StoreError            the state directory cannot be read or written

What is not in this tree is a defect of ours and may show a traceback.
"""


def one_line(text: str) -> str:
    """`text` with whatever would end or garble a line (line ends, control characters, lone surrogates) written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class UndertoneError(Exception):
    """A failure that its message explains in one line, with the remedy. What it quotes of a file cannot make it two."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class UsageError(UndertoneError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong: the message names file, key, value and remedy."""


class SourceError(UndertoneError):
    """A recording or a device cannot be heard."""


class ModelError(UndertoneError):
    """A model bundle is missing, damaged, or does not fit this box."""


class BusError(UndertoneError):
    """The broker cannot be reached, or refuses us."""


class StoreError(UndertoneError):
    """The state directory cannot be read or written."""
