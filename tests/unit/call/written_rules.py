"""Rules as a test writes them: one, called probe, that holds when it says."""

from pathlib import Path

from edge.call.rules.rule_set import RuleSet, load_rules

RULE = """\
rules:
  - id: probe
    says: It is so.
    severity: low
    route: team
    when:
"""


def probe(tmp_path: Path, when: str, **more) -> RuleSet:
    path = tmp_path / "rules.yaml"
    body = "\n".join(f"      {line}" for line in when.strip().splitlines())
    path.write_text(RULE + body + "\n" + "".join(f"    {key}: {value}\n" for key, value in more.items()))
    return load_rules(path)


def inline(tmp_path: Path, when: str) -> RuleSet:
    path = tmp_path / "inline.yaml"
    path.write_text(RULE.replace("    when:\n", f"\n    when: {{{when}}}\n"))
    return load_rules(path)
