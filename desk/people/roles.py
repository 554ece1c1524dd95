"""Who may do what."""

from enum import StrEnum


class Role(StrEnum):
    """From the least to the most; `switchboard` may post calls and nothing else."""

    SWITCHBOARD = "switchboard"
    ANALYST = "analyst"
    OPERATOR = "operator"
    LEAD = "lead"
    ADMIN = "admin"


READ = frozenset({Role.ANALYST, Role.OPERATOR, Role.LEAD, Role.ADMIN})
WORK = frozenset({Role.OPERATOR, Role.LEAD, Role.ADMIN})
LEAD = frozenset({Role.LEAD, Role.ADMIN})
CTI = frozenset({Role.SWITCHBOARD, Role.OPERATOR, Role.LEAD, Role.ADMIN})
