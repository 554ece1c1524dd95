"""Codes that a rules file asks for and that nothing on the box ever says: spelling mistakes that would never fire."""

import difflib
from collections.abc import Collection, Iterator

from edge.call.rules.conditions import CauseIs, KeywordIs, SignalIs
from edge.call.rules.rule_set import RuleSet, leaves


def unheard(rules: RuleSet, *, causes: Collection[str], signals: Collection[str], keywords: Collection[str]) -> Iterator[str]:
    """One line for each code of `rules` that is none of the taxonomy's causes, the lexicon's categories, the configured keywords."""
    known = {CauseIs: ("cause", causes), SignalIs: ("signal", signals), KeywordIs: ("keyword", keywords)}
    for rule in rules.rules:
        conditions = [rule.when, *(rise.when for rise in rule.rises), *([rule.withdraw] if rule.withdraw else [])]
        for _, condition in (leaf for when in conditions for leaf in leaves(when, negated=True)):
            if not isinstance(condition, CauseIs | SignalIs | KeywordIs):
                continue
            name, codes = known[type(condition)]
            for code in (code for code in condition.any_of if code not in codes):
                near = difflib.get_close_matches(code, codes, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"there is {', '.join(sorted(codes)) or 'none configured'}"
                yield f"rule '{rule.id}': {name} '{code}' is never heard on this box; {hint}"
